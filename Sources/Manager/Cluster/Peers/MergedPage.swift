import ManagerAPI
import ManagerCore

/// One page of a list, put together of the same page of every member. Pure.
struct MergedPage {
    /// A part of the list, in the order of names.
    struct Part: Sendable {
        var page: Wsm_V1_ListResponse
        /// Shards of which this part has everything. Where two parts show one object, the one
        /// that serves its shard is right.
        var served: Set<Int>
    }

    /// The names up to which every part is whole; `nil` is all of them.
    private(set) var wholeUpTo: String?
    private var objects: [String: (object: Wsm_V1_Object, isServed: Bool)] = [:]
    private let shardCount: Int

    init(_ parts: [Part], shardCount: Int) {
        self.shardCount = max(1, shardCount)
        for part in parts { add(part) }
    }

    private mutating func add(_ part: Part) {
        let token = part.page.nextPageToken
        if !token.isEmpty { wholeUpTo = wholeUpTo.map { min($0, token) } ?? token }
        for object in part.page.objects {
            let shard = Shards.shard(of: object.name, among: shardCount)
            let isServed = part.served.contains(shard)
            if let present = objects[object.name], present.isServed || !isServed { continue }
            objects[object.name] = (object, isServed)
        }
    }

    /// - Parameters:
    ///   - limit: of objects.
    ///   - bytes: of their documents, after which the page ends.
    func page(limit: Int, bytes: Int) -> Wsm_V1_ListResponse {
        var response = Wsm_V1_ListResponse()
        var size = 0
        let names = objects.keys.sorted()
        for name in names {
            guard let object = objects[name]?.object else { continue }
            if let wholeUpTo, name > wholeUpTo { break }
            guard response.objects.count < limit, size < bytes else {
                response.nextPageToken = response.objects.last?.name ?? ""
                return response
            }
            size += object.json.count + 512
            response.objects.append(object)
        }
        // A part that has more ends at a name that it showed, so something was taken.
        if let wholeUpTo { response.nextPageToken = response.objects.last?.name ?? wholeUpTo }
        return response
    }
}
