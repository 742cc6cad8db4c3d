/// Every bound of the HTTP side.
package enum HTTPLimits {
    /// Of one request body, in bytes: gRPC's own customary limit, which the other port has too.
    package static let maxBodyBytes = 4 << 20
}
