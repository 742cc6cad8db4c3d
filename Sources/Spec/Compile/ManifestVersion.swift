/// The versions of the manifest format.
package enum ManifestVersion {
    package static let v1 = "wsm.virtufin.com/v1"
}
