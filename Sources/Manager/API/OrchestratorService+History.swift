package import GRPCCore
package import ManagerAPI
import ManagerCore
import Spec

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension OrchestratorService {
    package func getHistory(
        request: Wsm_V1_GetHistoryRequest, context: ServerContext
    ) async throws -> Wsm_V1_GetHistoryResponse {
        let set = try ApplyOptions.set(request.set)
        let record = try await applySet(set)
        var response = Wsm_V1_GetHistoryResponse()
        guard request.revision != 0 else {
            response.revisions = record.history.reversed().map(Wsm_V1_SetRevision.init)
            return response
        }
        guard let first = request.pageToken.isEmpty ? 0 : Int(request.pageToken), first >= 0 else {
            throw ManagerError(
                .invalidArgument, "page_token is \(request.pageToken): it is none of this call's")
        }
        let revision = try revision(request.revision, of: record)
        response.revisions = [Wsm_V1_SetRevision(revision)]
        var bytes = 0
        for (index, document) in try await manifests(revision, of: set).enumerated().dropFirst(
            first)
        {
            guard response.manifests.isEmpty || bytes + document.count <= Self.pageBytes else {
                response.nextPageToken = "\(index)"
                break
            }
            bytes += document.count
            response.manifests.append(Data(document))
        }
        return response
    }

    package func rollback(
        request: Wsm_V1_RollbackRequest, response: RPCWriter<Wsm_V1_ApplyResponse>,
        context: ServerContext
    ) async throws {
        let options = try ApplyOptions(request)
        let revision = try revision(request.to, of: try await applySet(options.set))
        let objects = try Self.compile(
            try await manifests(revision, of: options.set), revision.number)
        try await answer(objects, warnings: [], options, response)
    }

    private func applySet(_ name: String) async throws -> ApplySetRecord {
        guard let record = try await operations.store.find(applySet: name) else {
            throw ManagerError(.notFound, "set \(name) was never applied")
        }
        return record
    }

    private func revision(
        _ number: Int64, of set: ApplySetRecord
    ) throws -> ApplySetRecord.Revision {
        if let revision = set.history.first(where: { $0.number == number }) { return revision }
        let known = (set.history.first?.number).map { "its history has \($0) to \(set.revision)" }
        throw ManagerError(
            .notFound,
            "set \(set.name) has no revision \(number): \(known ?? "its history is empty")")
    }

    private func manifests(
        _ revision: ApplySetRecord.Revision, of set: String
    ) async throws -> [[UInt8]] {
        guard revision.content != nil else {
            throw ManagerError(
                .failedPrecondition,
                "the manifests of revision \(revision.number) of set \(set) are no longer kept: "
                    + "the last \(ApplySetRecord.keptRevisions) revisions are, up to "
                    + "\(SizeText.format(ApplySetRecord.keptBytes)) in all")
        }
        let text: String
        do {
            text = try await operations.store.revisionText(of: set, revision)
        } catch {
            throw ManagerError(
                .unavailable,
                "the manifests of revision \(revision.number) of set \(set) cannot be read: "
                    + "\(error)")
        }
        guard let documents = SetHistory.documents(in: text, digest: revision.digest) else {
            throw ManagerError(
                .failedPrecondition,
                "the manifests of revision \(revision.number) of set \(set) are damaged in the "
                    + "state store: go back to another revision")
        }
        return documents
    }

    private static func compile(
        _ documents: [[UInt8]], _ number: Int64
    ) throws -> [CompiledObject] {
        try documents.flatMap { document in
            let compilation = ManifestCompiler.compileJSON(document, name: "revision \(number)")
            if let problem = compilation.diagnostics.first(where: { $0.severity == .error }) {
                throw ManagerError(
                    .failedPrecondition,
                    "a manifest of revision \(number) is not valid for this version of the server "
                        + "(\(problem.path): \(problem.message)): apply a mended one instead")
            }
            return compilation.objects
        }
    }
}

extension Wsm_V1_SetRevision {
    init(_ revision: ApplySetRecord.Revision) {
        self.init()
        number = revision.number
        digest = revision.digest
        by = revision.by
        at = revision.at.nanosecondsSinceEpoch / 1_000_000_000
        summary = revision.summary
        canRollBack = revision.content != nil
    }
}
