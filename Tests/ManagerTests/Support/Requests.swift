import ManagerAPI

extension Wsm_V1_DeleteRequest {
    static func with(_ edit: (inout Self) -> Void) -> Self {
        var request = Self()
        edit(&request)
        return request
    }
}

extension Wsm_V1_ListRequest {
    static func with(_ edit: (inout Self) -> Void) -> Self {
        var request = Self()
        edit(&request)
        return request
    }
}

extension Wsm_V1_GetRequest {
    static func with(_ edit: (inout Self) -> Void) -> Self {
        var request = Self()
        edit(&request)
        return request
    }
}

extension Wsm_V1_WatchRequest {
    static func with(_ edit: (inout Self) -> Void) -> Self {
        var request = Self()
        edit(&request)
        return request
    }
}

extension Wsm_V1_SubscribeRequest {
    static func with(_ edit: (inout Self) -> Void) -> Self {
        var request = Self()
        edit(&request)
        return request
    }
}

extension Wsm_V1_EventsRequest {
    static func with(_ edit: (inout Self) -> Void) -> Self {
        var request = Self()
        edit(&request)
        return request
    }
}
