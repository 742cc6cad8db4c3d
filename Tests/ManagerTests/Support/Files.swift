import Foundation

func copyFile(_ source: String, to target: String) throws {
    try FileManager.default.copyItem(atPath: source, toPath: target)
}
