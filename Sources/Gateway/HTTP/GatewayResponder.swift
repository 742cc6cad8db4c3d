import GRPCCore
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOSSL

/// Carries requests from a connection to the ``GatewayService``, and its answers back.
///
/// Its functions are `@concurrent` as those of the server library are: readers and writers of a
/// connection are not Sendable and may not change their isolation on the way.
struct GatewayResponder: Sendable {
    let service: GatewayService
    let isTLS: Bool

    /// The connection cannot be used for another request; thrown after the answer is written.
    private struct Finished: Error {}

    @concurrent
    func respond(
        to request: Request, _ writer: consuming ResponseWriter, on channel: any Channel
    ) async throws {
        let presence = try await CallerPresence.of(channel)
        defer { presence.onGone(nil) }
        var body = RequestBodyReader(request)
        let prepared = await service.prepare(request.head, try await caller(of: channel))
        var answer: HTTPAnswer
        switch prepared {
        case .answer(let refusal): answer = refusal
        case .body(let maxBytes, let next):
            if body.isAwaitingContinue, body.mayFit(maxBytes) {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                body.isAwaitingContinue = false
            }
            do {
                let bytes = try await body.collect(upTo: maxBytes)
                answer = await Self.endingWithCaller(presence) { await next(bytes) }
            } catch let failure as RPCFailure {
                answer = ErrorBody.answer(failure)
            }
        }
        let isLast =
            service.streams.isEnding
            || !body.isRead
                && (body.isAwaitingContinue || !body.mayFit(HTTPLimits.maxDrainedBytes))
        if isLast { answer.fields[.connection] = "close" }
        try await write(
            answer, withoutBody: request.method == .head, to: writer, presence: presence)
        if isLast { throw Finished() }
        if try await !body.drain(upTo: HTTPLimits.maxDrainedBytes) { throw Finished() }
    }

    /// A caller that leaves cancels the work for its answer.
    private static func endingWithCaller(
        _ presence: CallerPresence, _ work: @Sendable @escaping () async -> HTTPAnswer
    ) async -> HTTPAnswer {
        let task = Task { await work() }
        presence.onGone { task.cancel() }
        defer { presence.onGone(nil) }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func caller(of channel: any Channel) async throws -> RequestHead.Caller {
        let address = channel.remoteAddress
        let host = address?.ipAddress ?? "unknown"
        var caller = RequestHead.Caller(
            address: host.contains(":")
                ? "[\(host)]:\(address?.port ?? 0)" : "\(host):\(address?.port ?? 0)")
        if isTLS {
            caller.certificate = try await channel.nioSSL_peerCertificate().get()?.toDERBytes()
        }
        return caller
    }

    @concurrent
    private func write(
        _ answer: HTTPAnswer, withoutBody: Bool, to writer: consuming ResponseWriter,
        presence: CallerPresence
    ) async throws {
        var fields = answer.fields
        // What is JSON must not be taken for a page.
        fields[.xContentTypeOptions] = "nosniff"
        var head = HTTPResponse(status: .init(code: answer.status), headerFields: fields)
        switch answer.body {
        case .bytes(let bytes):
            if answer.status != 204 { head.headerFields[.contentLength] = String(bytes.count) }
            if withoutBody || bytes.isEmpty {
                try await writer.writeResponse(head)
            } else {
                try await writer.write(
                    response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
            }
        case .stream(let stream):
            presence.onGone { stream.stop() }
            let id = service.streams.add { stream.handoff.end(.goingAway) }
            defer {
                stream.stop()
                service.streams.remove(id)
            }
            try await Self.write(stream, to: writer.writeHead(head))
        }
    }

    @concurrent
    private static func write(
        _ stream: StreamBody, to writer: consuming some ResponseBodyWriter
    ) async throws {
        let ticker = Task {
            while true {
                try await Task.sleep(for: HTTPLimits.keepalive)
                stream.handoff.tick()
            }
        }
        defer { ticker.cancel() }
        var event = stream.first
        while true {
            switch event {
            case .message(let message):
                let bytes = try stream.writer.bytes(of: message)
                if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
            case .silence:
                let bytes = stream.writer.keepalive
                if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
            case .ended(let failure):
                let bytes = stream.writer.end(failure)
                if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
                try await writer.finish(nil)
                return
            }
            event = await stream.handoff.next()
        }
    }
}

extension HTTPField.Name {
    static let xContentTypeOptions = HTTPField.Name.named("x-content-type-options")
}

/// The body of a request, read once and never beyond a bound.
struct RequestBodyReader {
    private var iterator: RequestBody.AsyncIterator
    private let length: Int?
    /// It has been read to its end, or there is none.
    private(set) var isRead: Bool
    /// The caller sends the body only when told to.
    var isAwaitingContinue: Bool

    init(_ request: Request) {
        iterator = request.body.makeAsyncIterator()
        length = request.headers[.contentLength].flatMap { Int($0) }
        isRead = false
        isAwaitingContinue = request.headers[.expect]?.lowercased() == "100-continue"
    }

    /// As far as its length is told.
    func mayFit(_ maxBytes: Int) -> Bool { length.map { $0 <= maxBytes } ?? true }

    /// - Throws: ``RPCFailure`` if it is larger.
    @concurrent
    mutating func collect(upTo maxBytes: Int) async throws -> [UInt8] {
        guard mayFit(maxBytes) else { throw Self.tooLarge(maxBytes) }
        var bytes: [UInt8] = []
        while let part = try await iterator.next() {
            guard bytes.count + part.readableBytes <= maxBytes else {
                throw Self.tooLarge(maxBytes)
            }
            bytes += part.readableBytesView
        }
        isRead = true
        return bytes
    }

    /// Reads what is left, so that the connection can be used again.
    ///
    /// - Returns: Whether that is so.
    @concurrent
    mutating func drain(upTo maxBytes: Int) async throws -> Bool {
        if isRead { return true }
        var count = 0
        while let part = try await iterator.next() {
            count += part.readableBytes
            if count > maxBytes { return false }
        }
        return true
    }

    private static func tooLarge(_ maxBytes: Int) -> RPCFailure {
        RPCFailure(
            .resourceExhausted, "the body has more than \(maxBytes) bytes", status: 413)
    }
}
