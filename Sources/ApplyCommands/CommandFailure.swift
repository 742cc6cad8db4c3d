/// Why a command ends without its result: the exit code and one sentence for the person who ran it.
///
/// An empty message says nothing: what there is to say has been printed already.
struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    var status: CommandStatus
    var message: String

    init(_ status: CommandStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    var description: String { message }

    static func usage(_ message: String) -> CommandFailure {
        CommandFailure(.invalid, message)
    }
}
