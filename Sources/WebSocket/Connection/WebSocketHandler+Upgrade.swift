import NIOCore
import NIOSSL

/// Hears how the handshakes of one dial go; every call on the loop.
protocol HandshakeObserver: AnyObject {
    /// TLS is up; the request goes out now.
    func handshakeSecured()
    /// The server speaks WebSocket: give the handler its delegate, frames may follow at once.
    func handshakeUpgraded(_ agreement: HandshakeAgreement)
    /// Last: nothing came of it, and the handler has cut the transport.
    func handshakeFailed(_ failure: HandshakeFailure)
}

/// What a handler needs until the upgrade is done, and lets go of then.
final class PendingUpgrade {
    let request: WebSocketRequest
    let key: HandshakeKey
    let observer: any HandshakeObserver
    var reader = ResponseReader()

    init(request: WebSocketRequest, key: HandshakeKey, observer: any HandshakeObserver) {
        self.request = request
        self.key = key
        self.observer = observer
    }
}

extension WebSocketHandler {
    /// The transport is up: asks for the upgrade, or waits for TLS to ask then.
    func begin() {
        if case .upgrading(let upgrade) = self.phase { self.sendRequest(upgrade) }
    }

    /// TLS is up: asks for the upgrade when the certificate is for the name.
    func secured(_ upgrade: PendingUpgrade) {
        guard self.isVerified(upgrade.request) else {
            self.fail(
                upgrade,
                HandshakeFailure(
                    code: .tlsVerification,
                    message: "TLS failed: the certificate is not for this name"))
            return
        }
        self.phase = .upgrading(upgrade)
        upgrade.observer.handshakeSecured()
        self.sendRequest(upgrade)
    }

    private func isVerified(_ request: WebSocketRequest) -> Bool {
        guard !request.tls.insecureSkipVerify, let name = request.nameToVerify else { return true }
        let pipeline = self.context?.pipeline.syncOperations
        guard let certificate = try? pipeline?.nioSSL_peerCertificate() else { return false }
        return ServerIdentity.isValid(certificate, for: name)
    }

    private func sendRequest(_ upgrade: PendingUpgrade) {
        guard let context = self.context else { return }
        guard upgrade.request.permit?() ?? true else {
            self.fail(upgrade, .notPermitted)
            return
        }
        let head = HandshakeRequest.head(of: upgrade.request, key: upgrade.key)
        let buffer = context.channel.allocator.buffer(bytes: head)
        context.writeAndFlush(WebSocketHandler.wrapOutboundOut(buffer), promise: nil)
    }

    /// Reads on in the answer; what follows its head in the same buffer are frames.
    func readAnswer(_ buffer: ByteBuffer, _ upgrade: PendingUpgrade) {
        var buffer = buffer
        do {
            let (consumed, head) = try buffer.withUnsafeReadableBytes {
                try upgrade.reader.read($0)
            }
            guard let head else { return }
            let check = HandshakeCheck(
                key: upgrade.key, subprotocols: upgrade.request.subprotocols,
                requireSubprotocol: upgrade.request.requireSubprotocol,
                compression: upgrade.request.compression)
            let agreement = try check.accept(head)
            self.phase = .open
            self.useCompression(agreement.compression, upgrade.request.compression)
            upgrade.observer.handshakeUpgraded(agreement)
            buffer.moveReaderIndex(forwardBy: consumed)
            self.read(buffer)
        } catch {
            self.fail(upgrade, HandshakeFailure(transport: error))
        }
    }

    func fail(_ upgrade: PendingUpgrade, _ failure: HandshakeFailure) {
        self.phase = .closed
        self.cut()
        upgrade.observer.handshakeFailed(failure)
    }

    /// The dial is given up: nothing more is told.
    func abandon() {
        self.phase = .closed
        self.cut()
    }
}
