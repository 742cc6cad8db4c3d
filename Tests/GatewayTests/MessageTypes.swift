import ManagerAPI
import SwiftProtobuf

/// The generated types of every message that a route takes or gives.
enum MessageTypes {
    static let all: [any Message.Type] = [
        Virtufin_ConnectRequest.self, Virtufin_ConnectResponse.self, Virtufin_ListRequest.self,
        Virtufin_TagFilter.self, Virtufin_ListResponse.self, Virtufin_WebSocketConnection.self,
        Virtufin_DisconnectRequest.self, Virtufin_DisconnectResponse.self,
        Virtufin_StartPublishRequest.self, Virtufin_StartPublishResponse.self,
        Virtufin_StopPublishRequest.self, Virtufin_StopPublishResponse.self,
        Virtufin_SendRequest.self, Virtufin_SendResponse.self, Virtufin_SendRawRequest.self,
        Virtufin_SendRawResponse.self, Virtufin_SetTagRequest.self, Virtufin_SetTagResponse.self,
        Virtufin_GetTagRequest.self, Virtufin_GetTagResponse.self, Virtufin_SetTagsRequest.self,
        Virtufin_SetTagsResponse.self, Virtufin_GetTagsRequest.self,
        Virtufin_GetTagsResponse.self,
        Wsm_V1_TopicMark.self,
        Wsm_V1_GetClusterRequest.self,
        Wsm_V1_Cluster.self,
        Wsm_V1_ClusterMember.self,
        Wsm_V1_ClusterShard.self,
        Wsm_V1_ClusterMove.self,
        Wsm_V1_ClusterTiming.self,
        Wsm_V1_DrainRequest.self,
        Wsm_V1_DrainResponse.self,
        Wsm_V1_CallOffDrainRequest.self,
        Wsm_V1_CallOffDrainResponse.self,
        Wsm_V1_CordonRequest.self,
        Wsm_V1_CordonResponse.self,
        Wsm_V1_ApplyRequest.self, Wsm_V1_ApplyHeader.self, Wsm_V1_ApplyChunk.self,
        Wsm_V1_ManifestDocument.self, Wsm_V1_ApplyResponse.self, Wsm_V1_ResultChunk.self,
        Wsm_V1_ObjectResult.self, Wsm_V1_FieldConflict.self, Wsm_V1_FieldEdit.self,
        Wsm_V1_ApplySummary.self, Wsm_V1_GetRequest.self, Wsm_V1_Object.self,
        Wsm_V1_ListRequest.self, Wsm_V1_ListResponse.self, Wsm_V1_WatchRequest.self,
        Wsm_V1_WatchResponse.self, Wsm_V1_WatchChange.self, Wsm_V1_DeleteRequest.self,
        Wsm_V1_DeleteResponse.self, Wsm_V1_EventsRequest.self, Wsm_V1_EventsResponse.self,
        Wsm_V1_SubscribeRequest.self, Wsm_V1_SubscribeResponse.self, Wsm_V1_TopicMessage.self,
        Wsm_V1_GetHistoryRequest.self, Wsm_V1_GetHistoryResponse.self, Wsm_V1_SetRevision.self,
        Wsm_V1_RollbackRequest.self, Wsm_V1_GetServerStatusRequest.self, Wsm_V1_ServerStatus.self,
        Wsm_V1_StatusCheck.self, Wsm_V1_GetServerInfoRequest.self, Wsm_V1_ServerInfo.self,
    ]

    static let names = all.map { $0.protoMessageName }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
