package import ManagerCore
package import Spec

extension ConnectionUID {
    /// `uid-<text>`, or the same for every text that is none.
    package static func sample(_ text: String) -> ConnectionUID {
        ConnectionUID(rawValue: "uid-\(text)")
            ?? ConnectionUID(UUIDBytes(high: 1, low: 1))
    }
}

extension ConnectionSpec {
    /// A spec with short waits, for a server on loopback.
    package static func sample(
        _ url: String = "ws://127.0.0.1:9/", _ edit: (inout ConnectionSpec) -> Void = { _ in }
    ) -> ConnectionSpec {
        var spec = ConnectionSpec(url: url)
        edit(&spec)
        return spec
    }
}

extension DesiredConnection {
    package static func sample(
        _ name: String, uid: String? = nil, keeper: Keeper = .applySet("default"),
        declared: Set<String> = ["url"], createdAt: WallTime = WallTime(nanosecondsSinceEpoch: 0),
        _ edit: (inout ConnectionSpec) -> Void = { _ in }
    ) -> DesiredConnection {
        DesiredConnection(
            name: name, uid: .sample(uid ?? name), createdAt: createdAt, keeper: keeper,
            spec: .sample("ws://127.0.0.1:9/", edit), declared: declared)
    }
}
