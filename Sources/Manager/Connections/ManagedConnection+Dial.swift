import Logging
package import ManagerCore
import NIOCore
import NIOPosix
import Spec
import WebSocket

// MARK: What the loop asks for. Any thread.

extension ManagedConnection {
    /// Begins a dial with this spec. Of no effect while there is a socket.
    package func open(_ desired: DesiredConnection) {
        markDialing(desired.dialRevision)
        eventLoop.execute { self.startDial(desired) }
    }

    /// What was shown by ``markDialing(_:)`` does not begin.
    func dialIsOff() {
        eventLoop.execute { self.refreshFacts() }
    }

    /// Closes the socket so that the loop dials again at once.
    package func reopen(_ desired: DesiredConnection) {
        eventLoop.execute {
            let changes = SpecDiff.changes(
                from: self.desired.effectiveSpec, to: desired.effectiveSpec)
            let fields = changes.filter { $0.effect >= .reopen }.map(\.path)
            self.beginClose(.reopen(fields), code: 1000, reason: "")
        }
    }

    /// Closes the socket for good.
    package func close() {
        eventLoop.execute { self.beginClose(.removed, code: 1000, reason: "") }
    }

    /// Closes the socket because the process ends.
    package func shutDown() {
        eventLoop.execute { self.beginClose(.shutdown, code: 1001, reason: "going away") }
    }

    /// Puts a spec in force whose edits need no new socket.
    package func update(_ desired: DesiredConnection) {
        eventLoop.execute { self.apply(desired) }
    }
}

// MARK: Dialling

extension ManagedConnection {
    private func startDial(_ desired: DesiredConnection) {
        guard mayDial, !leavesDialToHeir else {
            // Not a failure of the remote: the loop is told again when it may.
            refreshFacts()
            if !isGone, !isStopped, !isHungUp {
                wantsDial = true
                watchGate()
            }
            return
        }
        guard machine.dialStarted(dialRevision: desired.dialRevision) else {
            refreshFacts()
            return
        }
        announceSuccession()
        apply(desired, tells: false)
        dialNumber &+= 1
        dialStartedAt = now
        let number = dialNumber
        facts.missingSecret = nil
        facts.refusedAddress = nil
        facts.nextAttemptAt = nil
        log(.debug, "dial started", ["attempt": "\(machine.attempt + 1)"])
        changed()
        let spec = desired.effectiveSpec
        let wanted = spec.daprSecrets
        guard !wanted.isEmpty, let daprSecrets = environment.daprSecrets else {
            return resolveInput(spec, environment.secrets, number: number)
        }
        Task {
            let fetched = await daprSecrets.fetch(wanted)
            self.eventLoop.execute {
                var secrets = self.environment.secrets
                secrets.fetched = fetched
                self.resolveInput(spec, secrets, number: number)
            }
        }
    }

    private func resolveInput(_ spec: ConnectionSpec, _ secrets: SecretResolver, number: UInt32) {
        let egress = EgressGuard(
            policy: environment.egress, origin: desired.keeper == .grpc ? .api : .manifest)
        guard spec.readsFiles else {
            let input = DialInput.resolve(spec, secrets: secrets, egress: egress)
            return inputResolved(.success(input), number: number)
        }
        // Files are read on a thread that may block, never on the loop.
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) {
            DialInput.resolve(spec, secrets: secrets, egress: egress)
        }.whenComplete { result in
            self.inputResolved(result, number: number)
        }
    }

    private func inputResolved(
        _ result: Result<Result<DialInput, DialInput.Failure>, any Error>, number: UInt32
    ) {
        guard number == dialNumber else { return }
        switch result {
        case .success(.success(let input)):
            if case .dialing = machine.state {
                dial(input, number: number)
            } else {
                dialEnded(cancelledFailure)
            }
        case .success(.failure(let failure)):
            facts.missingSecret = failure.isSecret ? failure.message : nil
            dialEnded(failure.linkFailure(at: environment.clock.wallTime()))
        case .failure(let error):
            dialEnded(
                LinkFailure(
                    failureClass: .transient, code: "threadPool", message: "\(error)",
                    at: environment.clock.wallTime()))
        }
    }

    private func dial(_ input: DialInput, number: UInt32) {
        let initial = input.initialMessages
        var request = input.request
        // The dial ends in any case and lets go of it; a weak reference would cost a table for good.
        request.permit = { self.mayDial }
        let dial = environment.dialer.dial(request, on: eventLoop) { _ in
            SocketDelegate(owner: self, number: number)
        }
        self.dial = dial
        dial.result.whenComplete { result in
            guard number == self.dialNumber else {
                if case .success(let socket) = result { socket.abort() }
                return
            }
            self.dial = nil
            switch result {
            case .success(let socket): self.opened(socket, initial: initial)
            case .failure(let error): self.dialEnded(LinkFailure(error, at: self.wallTime))
            }
        }
    }

    var wallTime: WallTime { environment.clock.wallTime() }
    var now: Moment { environment.clock.now() }

    private var cancelledFailure: LinkFailure {
        LinkFailure(
            failureClass: .transient, code: "cancelled", message: "the dial was called off",
            at: wallTime)
    }

    private func dialEnded(_ failure: LinkFailure) {
        dial = nil
        if failure.code == WebSocketDialError.Code.notPermitted.rawValue {
            wantsDial = true
            watchGate()
            _ = machine.closeStarted(.fenced)
        }
        defer { dialSettled() }
        facts.refusedAddress =
            failure.code == LinkFailure.addressRefused ? failure.message : nil
        let wasCalledOff = if case .closing = machine.state { true } else { false }
        countDial(wasCalledOff ? .cancelled : .failure(failure.failureClass))
        machine.dialFailed(failure, now: now, using: &generator)
        noteNextAttempt()
        if !wasCalledOff {
            log(
                .info, "dial failed",
                [
                    "class": "\(failure.failureClass)", "code": "\(failure.code)",
                    "cause": "\(failure.message)", "attempt": "\(machine.attempt)",
                ])
            publishEvent(.error(type: failure.code, message: failure.message))
        }
        changed()
    }

    private func opened(_ socket: WebSocketConnection, initial: [DialInput.InitialMessage]) {
        guard machine.opened(now: now) else {
            // Told to close while the last bytes of the upgrade were on their way.
            self.socket = socket
            countDial(.cancelled)
            socket.close(code: 1000, reason: "")
            return
        }
        unsentInitial = []
        countDial(.success)
        self.socket = socket
        let connectedAt = wallTime
        facts.connectedAt = connectedAt
        facts.subprotocol = socket.subprotocol
        facts.compression = socket.compression?.description
        facts.remoteAddress = socket.remoteAddress
        facts.hasFirstMessage = false
        firstSequenceOfSocket = sequence + 1
        isReadingPaused = false
        hasDeepReads = false
        beginKeepalive()
        log(
            .info, "connected",
            [
                "address": "\(socket.remoteAddress ?? "")",
                "compression": "\(facts.compression ?? "none")",
            ])
        if desired.spec.tls.insecureSkipVerify {
            log(
                .warning, "the server's certificate is not checked",
                ["field": "tls.insecureSkipVerify"])
        }
        send(initial, on: socket)
        changed()
        announceGap(to: connectedAt)
        if isStopped { balanceReading() }
        shadowOpened()
    }

    func send(_ initial: [DialInput.InitialMessage], on socket: WebSocketConnection) {
        guard let last = initial.last else {
            machine.subscribed()
            return
        }
        guard right.mayReachOut else {
            unsentInitial = initial
            watchGate()
            return
        }
        for message in initial.dropLast() {
            socket.send(message.kind, message.payload, promise: nil)
        }
        let written = eventLoop.makePromise(of: Void.self)
        let number = dialNumber
        written.futureResult.whenSuccess {
            guard number == self.dialNumber else { return }
            self.machine.subscribed()
            self.changed()
        }
        socket.send(last.kind, last.payload, promise: written)
    }

    private func countDial(_ outcome: DialOutcome) {
        environment.metrics.dialed(outcome, in: dialStartedAt?.duration(to: now) ?? .zero)
        dialStartedAt = nil
    }

    /// A second life of the feed began: consumers learn where messages may be missing.
    private func announceGap(to connectedAt: WallTime) {
        guard let lastDownAt, !right.isShadow else { return }
        let lastSequence = sequence > 0 ? sequence : nil
        publishEvent(
            .gap(
                LifecycleEvent.Gap(
                    from: .init(
                        epoch: gapEpoch, sequence: lastSequence, time: lastDownAt),
                    to: .init(
                        epoch: right.epoch, sequence: sequence + 1, time: connectedAt),
                    cause: gapCause)))
        environment.metrics.gaps.add()
        self.lastDownAt = nil
        gapCause = .disconnected
        gapEpoch = right.epoch
    }
}

// MARK: Closing

extension ManagedConnection {
    func beginClose(
        _ cause: ConnectionStateMachine.CloseCause, code: UInt16, reason: String
    ) {
        guard machine.closeStarted(cause) else { return }
        failReplies(.notConnected)
        socket?.close(code: code, reason: reason)
        dial?.cancel()
        changed()
    }

    /// The peer does not answer: the socket is cut, and the loop dials again by the back-off.
    func cut(_ failure: LinkFailure) {
        guard machine.closeStarted(.fault(failure)) else { return }
        failReplies(.notConnected)
        publishEvent(.error(type: failure.code, message: failure.message))
        socket?.abort()
        changed()
    }

    func socketClosed(_ close: WebSocketClose) {
        defer { socketGone() }
        socket = nil
        unsentInitial = []
        pendingFrames = nil
        if case .open = machine.state { reportDrop() }
        keepalive = nil
        keepaliveTimer.cancel()
        lookAheadTimer.cancel()
        isReadingPaused = false
        hasDeepReads = false
        failReplies(.notConnected)
        if close.error?.code == .messageTooBig {
            // It came, and it is not published: both are counted.
            queue.countRefused(.tooLarge)
            count {
                $0.receivedMessages += 1
                $0.unreadMessages += 1
                countTraffic(&$0)
            }
        }
        let failure = LinkFailure(close, at: wallTime)
        if let failure, case .open = machine.state {
            publishEvent(.error(type: failure.code, message: failure.message))
        }
        if machine.hasBeenOpen, !right.isShadow { lastDownAt = wallTime }
        facts.connectedAt = nil
        facts.remoteAddress = nil
        facts.subprotocol = nil
        facts.compression = nil
        facts.hasFirstMessage = false
        let link = LinkClose(close, at: wallTime)
        if let kind = DisconnectKind(link, in: machine.state) {
            environment.metrics.disconnects.add(kind)
        }
        machine.closed(link, failure: failure, now: now, using: &generator)
        noteNextAttempt()
        log(
            .info, "disconnected",
            [
                "code": "\(machine.lastClose?.code ?? 1006)",
                "by": "\(machine.lastClose?.by.rawValue ?? "")",
                "reason": "\(machine.lastClose?.reason ?? "")",
            ])
        changed()
    }

    func noteNextAttempt() {
        guard case .down(let down) = machine.state, desired.spec.autoReconnect else {
            facts.nextAttemptAt = nil
            return
        }
        facts.nextAttemptAt = wallTime.advanced(by: now.duration(to: down.nextAttemptAt))
    }
}

// MARK: Editing

extension ManagedConnection {
    private func apply(_ desired: DesiredConnection) {
        apply(desired, tells: true)
    }

    func apply(_ desired: DesiredConnection, tells: Bool) {
        let before = self.desired.spec
        self.desired = desired
        let spec = desired.spec
        facts.generation = desired.generation
        machine.policyChanged(spec.reconnect)
        let isStalled =
            machine.isExhausted || facts.missingSecret != nil || facts.refusedAddress != nil
        if tells, isStalled {
            machine.attemptsForgiven(now: now)
        }
        if spec.buffer != before.buffer {
            queue.policyChanged(
                bounds: MessageAmount(spec.buffer), overflow: spec.buffer.overflow)
            spill?.queue.limit = spec.buffer.spill.bytes
        }
        if spec.correlation != before.correlation {
            requests?.rule = CorrelationRule(spec: spec.correlation)
        }
        if spec.url != before.url {
            origin = EventOrigin(desired, right)
        }
        if spec.keepalive != before.keepalive {
            keepaliveChanged()
        }
        socket?.setMaxMessageSize(spec.maxMessageSize)
        socket?.setCompressionThreshold(spec.compression.threshold)
        socket?.setCloseTimeout(spec.timeouts.close)
        if tells {
            drainBacklog()
            noteNextAttempt()
            changed()
        }
    }
}

extension DisconnectKind {
    /// - Returns: `nil` if the socket never counted as up.
    fileprivate init?(_ close: LinkClose, in state: ConnectionStateMachine.State) {
        let cause: Cause
        switch state {
        case .open:
            switch close.by {
            case .remote: cause = .peer
            case .transport: cause = .transport
            case .local: cause = .fault
            }
        case .closing(let closing) where closing.openSince != nil:
            switch closing.cause {
            case .removed: cause = .removed
            case .reopen: cause = .reopen
            case .fault: cause = .fault
            case .shutdown: cause = .shutdown
            case .fenced: cause = .fenced
            }
        case .idle, .dialing, .closing, .down:
            return nil
        }
        self.init(cause: cause, code: CloseCodeGroup(close.code))
    }
}
