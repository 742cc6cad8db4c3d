/// Plays one case against one client: a machine that is told what comes and says what to do.
package struct CaseRun {
    package enum Action: Sendable {
        case write([UInt8])
        /// Call `pauseEnded` after a while.
        case pause
        /// End the transport.
        case end
    }

    private let testCase: ConformanceCase
    private var steps: ArraySlice<ConformanceCase.Step> = []
    private var expected: [ConformanceCase.Event] = []
    private var received = 0
    private var reader = ClientFrameReader()
    private var inflater: ServerInflater?
    /// A fragmented message: opcode, whether it is compressed, payload so far.
    private var message: (opcode: UInt8, isCompressed: Bool, payload: [UInt8])?
    private var isPausing = false
    private var hasSentClose = false
    private var hasReceivedClose = false
    /// The first thing that was wrong.
    package private(set) var fault: String?

    package init(_ testCase: ConformanceCase) {
        self.testCase = testCase
        self.inflater = testCase.terms.map { ServerInflater($0) }
    }

    package mutating func start() -> [Action] {
        let script = self.testCase.script()
        self.steps = script.steps[...]
        self.expected = script.expected
        return self.goOn()
    }

    package mutating func pauseEnded() -> [Action] {
        self.isPausing = false
        return self.goOn()
    }

    package mutating func received(_ bytes: some Sequence<UInt8>) -> [Action] {
        self.reader.append(bytes)
        do throws(ClientFrameReader.Violation) {
            while let frame = try self.reader.next() {
                if self.hasReceivedClose { return self.fail("a frame after the close frame") }
                let actions = try self.handle(frame)
                if !actions.isEmpty { return actions }
            }
        } catch {
            return self.fail(error.message)
        }
        return self.goOn()
    }

    /// The transport is gone.
    /// - Returns: What was wrong; nil when nothing was.
    package mutating func ended() -> String? {
        if self.fault == nil, !self.hasReceivedClose {
            self.fault = "the client ended the transport without a close frame"
        }
        if self.fault == nil, self.received < self.expected.count {
            self.fault = "only \(self.received) of \(self.expected.count) events came back"
        }
        return self.fault
    }

    private mutating func fail(_ fault: String) -> [Action] {
        if self.fault == nil { self.fault = fault }
        return [.end]
    }

    /// Takes steps until one has to wait.
    private mutating func goOn() -> [Action] {
        var actions: [Action] = []
        while !self.isPausing, !self.hasReceivedClose, let step = self.steps.first {
            switch step {
            case .send(let bytes, let chop):
                actions += Self.chopped(bytes, chop).map { .write($0) }
            case .awaitEvents(let count):
                guard self.received >= count else { return actions }
            case .pause:
                self.isPausing = true
                actions.append(.pause)
            }
            self.steps.removeFirst()
        }
        if self.steps.isEmpty, !self.isPausing, self.testCase.end == .closedByServer,
            self.received == self.expected.count, !self.hasSentClose
        {
            self.hasSentClose = true
            actions.append(.write(ServerFrame.close(1000)))
        }
        return actions
    }

    private static func chopped(_ bytes: [UInt8], _ size: Int?) -> [[UInt8]] {
        guard let size else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: size).map {
            Array(bytes[$0..<min($0 + size, bytes.count)])
        }
    }
}

// MARK: - What comes back

extension CaseRun {
    private mutating func handle(
        _ frame: ClientFrame
    ) throws(ClientFrameReader.Violation) -> [Action] {
        switch frame.opcode {
        case ServerFrame.close: return self.closed(frame.payload)
        case ServerFrame.pong: return self.note(.pong(frame.payload))
        case ServerFrame.ping: return self.fail("a ping")
        default: break
        }
        if frame.opcode == ServerFrame.continuation {
            guard self.message != nil else { return self.fail("a continuation of nothing") }
            self.message?.payload += frame.payload
        } else {
            guard self.message == nil else { return self.fail("a message within a message") }
            self.message = (frame.opcode, frame.reserved != 0, frame.payload)
        }
        guard frame.fin, let message = self.message.take() else { return [] }
        return self.completed(message)
    }

    private mutating func completed(
        _ message: (opcode: UInt8, isCompressed: Bool, payload: [UInt8])
    ) -> [Action] {
        var payload = message.payload
        if message.isCompressed {
            guard let inflater = self.inflater else { return self.fail("a reserved bit is set") }
            guard let inflated = inflater.inflate(payload, limit: 1 << 18) else {
                return self.fail("a compressed message cannot be inflated")
            }
            payload = inflated
        }
        return self.note(message.opcode == ServerFrame.text ? .text(payload) : .binary(payload))
    }

    private mutating func note(_ event: ConformanceCase.Event) -> [Action] {
        guard self.received < self.expected.count else { return self.fail("more than expected") }
        guard event == self.expected[self.received] else {
            return self.fail("event \(self.received + 1) is not the one expected")
        }
        self.received += 1
        return []
    }

    private mutating func closed(_ payload: [UInt8]) -> [Action] {
        self.hasReceivedClose = true
        guard payload.count != 1 else { return self.fail("a close frame of one byte") }
        let code = payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1])
        let isRight: Bool
        switch self.testCase.end {
        case .closedByServer:
            isRight = self.hasSentClose && code == 1000
        case .closedByScript(let codes, let mayBeEmpty):
            isRight = self.steps.isEmpty && code.map(codes.contains) ?? mayBeEmpty
        case .failedByClient(let codes):
            isRight = self.steps.isEmpty && code.map(codes.contains) ?? false
        }
        let shown = code.map { "\($0)" } ?? "no code"
        return isRight ? [.end] : self.fail("the client closed with \(shown)")
    }
}
