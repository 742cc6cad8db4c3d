/// The version of this tree; all programs are released together.
package enum Version {
    package static let text = "0.1.0"
}
