import Testing

@testable import WebSocket

struct CloseHandshakeTests {
    let normal = CloseFrame(sending: 1000, reason: "done")

    @Test func ourCloseIsAnswered() {
        var machine = CloseHandshake()
        #expect(machine.maySend)
        #expect(machine.closeRequested(self.normal) == .sendAndAwaitPeer(self.normal))
        #expect(!machine.maySend)
        let answer = CloseFrame(sending: 1000, reason: "bye")
        #expect(machine.closeFrameReceived(answer) == .awaitTransportEnd)
        #expect(
            machine.transportEnded(nil)
                == WebSocketClose(
                    sentCode: 1000, sentReason: "done", receivedCode: 1000, receivedReason: "bye",
                    initiator: .local, wasClean: true))
    }

    @Test func theirsIsAnsweredWithItsCode() {
        var machine = CloseHandshake()
        let theirs = CloseFrame(sending: 4001, reason: "moved")
        let answer = CloseFrame(sending: 4001, reason: "")
        #expect(machine.closeFrameReceived(theirs) == .sendAndFinish(answer))
        #expect(!machine.maySend)
        #expect(
            machine.transportEnded(nil)
                == WebSocketClose(
                    sentCode: 4001, receivedCode: 4001, receivedReason: "moved",
                    initiator: .remote, wasClean: true))
    }

    @Test func anEmptyCloseIsAnsweredEmpty() {
        var machine = CloseHandshake()
        #expect(machine.closeFrameReceived(.empty) == .sendAndFinish(.empty))
        #expect(
            machine.transportEnded(nil) == WebSocketClose(initiator: .remote, wasClean: true))
    }

    @Test func aPeerThatDoesNotAnswerIsCut() {
        var machine = CloseHandshake()
        _ = machine.closeRequested(self.normal)
        #expect(machine.deadlinePassed() == .cut)
        let close = machine.transportEnded(nil)
        #expect(close?.error?.code == .closeTimedOut)
        #expect(close?.wasClean == false)
        #expect(close?.initiator == .local)
        #expect(close?.sentCode == 1000)
        #expect(close?.receivedCode == nil)
    }

    @Test func aPeerThatKeepsTCPOpenIsCutWithoutFault() {
        var machine = CloseHandshake()
        _ = machine.closeRequested(self.normal)
        _ = machine.closeFrameReceived(self.normal)
        #expect(machine.deadlinePassed() == .cut)
        #expect(machine.transportEnded(WebSocketError(.connectionReset, ""))?.wasClean == true)
    }

    @Test(arguments: [
        (WebSocketError.Code.protocolViolation, UInt16(1002)), (.invalidUTF8, 1007),
        (.messageTooBig, 1009),
    ])
    func aFaultIsToldWithItsCode(_ fault: (code: WebSocketError.Code, close: UInt16)) {
        var machine = CloseHandshake()
        let error = WebSocketError(fault.code, "why")
        #expect(
            machine.failed(error) == .sendAndFinish(CloseFrame(sending: fault.close, reason: "why"))
        )
        let close = machine.transportEnded(nil)
        #expect(close?.sentCode == fault.close)
        #expect(close?.error == error)
        #expect(close?.initiator == .local)
        #expect(close?.wasClean == false)
    }

    @Test func aFaultWhileClosingCuts() {
        var machine = CloseHandshake()
        _ = machine.closeRequested(self.normal)
        #expect(machine.failed(.violation("x")) == .cut)
        #expect(machine.transportEnded(nil)?.error?.code == .protocolViolation)
    }

    @Test func anEndWithoutACloseFrameIsTheTransports() {
        var machine = CloseHandshake()
        let close = machine.transportEnded(nil)
        #expect(close?.initiator == .transport)
        #expect(close?.error?.code == .connectionClosed)
        #expect(close?.receivedCode == nil)
        #expect(close?.wasClean == false)
        var reset = CloseHandshake()
        let cause = WebSocketError(.connectionReset, "connection reset")
        #expect(reset.transportEnded(cause)?.error == cause)
    }

    @Test func anAbortCutsAndSaysSo() {
        var machine = CloseHandshake()
        #expect(machine.aborted() == .cut)
        let close = machine.transportEnded(nil)
        #expect(close?.initiator == .local)
        #expect(close?.error?.code == .aborted)
    }

    @Test func theEndIsToldOnce() {
        var machine = CloseHandshake()
        #expect(machine.transportEnded(nil) != nil)
        #expect(machine.transportEnded(nil) == nil)
        #expect(machine.closeRequested(self.normal) == .none)
        #expect(machine.closeFrameReceived(.empty) == .none)
        #expect(machine.failed(.violation("x")) == .none)
        #expect(machine.deadlinePassed() == .none)
        #expect(machine.aborted() == .none)
    }

    @Test func aSecondCloseChangesNothing() {
        var machine = CloseHandshake()
        _ = machine.closeRequested(self.normal)
        #expect(machine.closeRequested(CloseFrame(sending: 1001, reason: "")) == .none)
        #expect(machine.transportEnded(nil)?.sentCode == 1000)
    }
}
