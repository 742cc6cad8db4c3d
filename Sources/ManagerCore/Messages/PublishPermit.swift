/// The right to publish, as it travels with what is to be published.
///
/// A bus asks it as the last thing before its effect, for each call and each retry; an answer is
/// never kept.
package protocol PublishPermit: AnyObject, Sendable {
    var mayAct: Bool { get }
    /// Part of the id of every event that is published under it.
    var epoch: UInt64 { get }
}
