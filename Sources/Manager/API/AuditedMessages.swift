import Access
package import ManagerAPI
import Spec

// Which object each changing call is about, for the audit log.

private protocol NamesConnection: AuditedMessage {
    var id: String { get }
}

extension NamesConnection {
    package var auditedObjects: [String] { ["connection/\(id)"] }
}

extension Virtufin_ConnectRequest: AuditedMessage {
    /// Without the query, which may carry a secret; what is no URL is not repeated.
    package var auditedObjects: [String] {
        (try? Endpoint.parse(url)).map { ["url/\($0.redacted)"] } ?? []
    }
}

extension Virtufin_ConnectResponse: NamesConnection {}
extension Virtufin_DisconnectRequest: NamesConnection {}
extension Virtufin_StopPublishRequest: NamesConnection {}
extension Virtufin_SendRequest: NamesConnection {}
extension Virtufin_SendRawRequest: NamesConnection {}
extension Virtufin_SetTagRequest: NamesConnection {}
extension Virtufin_SetTagsRequest: NamesConnection {}

extension Virtufin_StartPublishRequest: AuditedMessage {
    package var auditedObjects: [String] { ["connection/\(id)", "topic/\(topic)"] }
}

extension Wsm_V1_ApplyRequest: AuditedMessage {
    package var auditedObjects: [String] {
        guard case .header(let header) = part else { return [] }
        let set = "set/\(header.set.isEmpty ? "default" : header.set)"
        return header.dryRun ? [set, "dry-run"] : [set]
    }
}

extension Wsm_V1_ApplyResponse: AuditedMessage {
    /// What was changed, not what was looked at.
    package var auditedObjects: [String] {
        switch part {
        case .results(let chunk):
            return chunk.results.compactMap { result in
                switch result.action {
                case .created, .configured, .pruned, .adopted:
                    return "\(result.kind.lowercased())/\(result.name)"
                default:
                    return nil
                }
            }
        case .summary(let summary):
            return summary.revision > 0 ? ["revision/\(summary.revision)"] : []
        case nil:
            return []
        }
    }
}

extension Wsm_V1_RollbackRequest: AuditedMessage {
    package var auditedObjects: [String] { ["set/\(set.isEmpty ? "default" : set)"] }
}

extension Wsm_V1_DrainRequest: AuditedMessage {
    package var auditedObjects: [String] {
        ["instance/\(instance)"] + (restart ? ["restart"] : [])
    }
}

extension Wsm_V1_CallOffDrainRequest: AuditedMessage {
    package var auditedObjects: [String] { ["instance/\(instance)"] }
}

extension Wsm_V1_CordonRequest: AuditedMessage {
    package var auditedObjects: [String] {
        ["instance/\(instance)", cordoned ? "cordon" : "uncordon"]
    }
}

extension Wsm_V1_DeleteRequest: AuditedMessage {
    package var auditedObjects: [String] {
        ["\(kind.isEmpty ? "connection" : kind.lowercased())/\(name)"]
    }
}
