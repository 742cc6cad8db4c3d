package import Access
package import GRPCCore
package import GRPCNIOTransportHTTP2Posix
import ManagerCore
import Synchronization

/// One gRPC client for each address of a peer, made when it is first needed. Connects anew by
/// itself; a call to a peer that is not there fails at once.
package final class PeerClients: Sendable {
    package typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

    private let credentials: PeerCredentials
    private let state = Mutex(State())

    private struct State {
        var open: [String: Entry] = [:]
        var uses: UInt64 = 0
        var isClosed = false
    }

    private struct Entry {
        var client: Client
        var running: Task<Void, Never>
        var version: UInt64
        var lastUse: UInt64
    }

    package init(credentials: PeerCredentials) {
        self.credentials = credentials
    }

    /// - Throws: `RPCError` for an address that is none, or files that cannot be used.
    package func client(for address: String) throws -> Client {
        let version = credentials.version()
        var retired: [Entry] = []
        defer { for entry in retired { entry.client.beginGracefulShutdown() } }
        return try state.withLock { state in
            guard !state.isClosed else {
                throw RPCError(code: .unavailable, message: "the server is going away")
            }
            state.uses += 1
            if var entry = state.open[address] {
                if entry.version == version {
                    entry.lastUse = state.uses
                    state.open[address] = entry
                    return entry.client
                }
                // Calls under way go on over the old connection.
                retired.append(entry)
                state.open[address] = nil
            }
            if state.open.count >= PeerLimits.clients,
                let oldest = state.open.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                retired.append(oldest.value)
                state.open[oldest.key] = nil
            }
            let client = try makeClient(address)
            state.open[address] = Entry(
                client: client, running: Task { try? await client.runConnections() },
                version: version, lastUse: state.uses)
            return client
        }
    }

    /// What every call to a peer carries: the token, and for whom and how it is passed on.
    package func metadata(hop: Hop? = nil) -> Metadata {
        var metadata = Metadata()
        if let token = credentials.token() {
            metadata.addString("Bearer \(token)", forKey: "authorization")
        }
        guard let hop else { return metadata }
        let caller =
            Caller.current
            ?? Caller(name: Caller.peerName, role: .admin, means: .peer, address: "")
        for (key, value) in hop.metadata + caller.metadata {
            metadata.addString(value, forKey: key)
        }
        return metadata
    }

    /// Why a call failed, for whoever looks after both instances. The transport does not say that a
    /// certificate was refused, only that the connection ended before it had begun.
    func reason(_ error: any Error) -> String {
        let text = (error as? RPCError)?.message ?? "\(error)"
        guard credentials.isTLS, text.contains("preface") else { return text }
        return
            "its certificate is not of the authorities of --peer-ca, or ours is none for it, or it "
            + "speaks no TLS: \(text)"
    }

    /// Ends all clients and, in the end, their calls.
    package func close() async {
        let entries = state.withLock { state in
            state.isClosed = true
            defer { state.open = [:] }
            return Array(state.open.values)
        }
        for entry in entries { entry.client.beginGracefulShutdown() }
        for entry in entries {
            entry.running.cancel()
            await entry.running.value
        }
    }

    private func makeClient(_ address: String) throws -> Client {
        let security: HTTP2ClientTransport.Posix.TransportSecurity
        do {
            security = try credentials.security()
        } catch {
            throw RPCError(code: .unavailable, message: "no connection to a peer: \(error)")
        }
        return GRPCClient(
            transport: try .http2NIOPosix(
                target: try PeerTarget(address).target, transportSecurity: security,
                config: .defaults {
                    // A peer that comes back is wanted soon.
                    $0.backoff.initial = .milliseconds(100)
                    $0.backoff.max = .seconds(2)
                    $0.connection.keepalive = .init(
                        time: PeerLimits.pingInterval, timeout: PeerLimits.pingTimeout,
                        allowWithoutCalls: false)
                }))
    }
}

/// `host:port`, with an IPv6 address in brackets.
package struct PeerTarget: Sendable, Hashable {
    package var host: String
    package var port: Int

    /// - Throws: `RPCError` where the text is of another form.
    package init(_ text: String) throws {
        let invalid = RPCError(
            code: .unavailable, message: "the address of the peer is no host:port")
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port)
        else { throw invalid }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw invalid }
        self.host = String(host)
        self.port = port
    }

    var target: any ResolvableTarget {
        guard IPAddress(host) != nil else { return .dns(host: host, port: port) }
        return host.contains(":")
            ? .ipv6(address: host, port: port) : .ipv4(address: host, port: port)
    }
}
