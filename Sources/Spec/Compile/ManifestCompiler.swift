/// Compiles manifests: bytes → nodes with line and column → version and kind → values checked by the
/// field table → defaults filled in.
///
/// It opens nothing and asks no clock. All problems of all sources are told at once, each with its
/// place; a document with an error gives no object. The limits of ``ManifestLimits`` keep a hostile
/// source at milliseconds.
///
/// ```swift
/// let compilation = ManifestCompiler.compile([ManifestSource(name: "a.yaml", bytes: bytes)])
/// for diagnostic in compilation.diagnostics { print(diagnostic) }
/// for object in compilation.objects where !compilation.hasErrors { apply(object) }
/// ```
package enum ManifestCompiler {
    /// Compiles YAML or JSON sources, each of one or more documents. Names are unique over all.
    package static func compile(_ sources: [ManifestSource]) -> Compilation {
        var state = CompilerState()
        for source in sources {
            var report = DiagnosticCollector(file: source.name)
            do throws(NodeBuilder.Abort) {
                let text = try TextEncoding.checked(source.bytes)
                let isNamedJSON = source.name.hasSuffix(".json")
                if !compileAsJSON(text, isNamedJSON: isNamedJSON, &state, &report) {
                    compileAsYAML(text, &state, &report)
                }
            } catch {
                report.error(error.mark, "", error.message)
            }
            state.finish(&report)
        }
        return state.compilation
    }

    /// Compiles one stored or wire document, which is JSON.
    package static func compileJSON(_ bytes: [UInt8], name: String) -> Compilation {
        var state = CompilerState()
        var report = DiagnosticCollector(file: name)
        do throws(NodeBuilder.Abort) {
            let text = try TextEncoding.checked(bytes, limit: ManifestLimits.maxWireBytes)
            let (root, findings) = try readJSON(text)
            state.document(root, findings, &report)
        } catch {
            report.error(error.mark, "", error.message)
        }
        state.finish(&report)
        return state.compilation
    }

    private static func readJSON(
        _ text: ArraySlice<UInt8>
    ) throws(NodeBuilder.Abort) -> (Node, [NodeBuilder.Finding]) {
        let mayBeSet = text.withUnsafeBufferPointer { TextEncoding.mentionsSet($0) }
        return try JSONNodeReader.read(Array(text), builder: NodeBuilder(mayBeSet: mayBeSet))
    }

    /// Takes the fast way for a source that is one JSON object.
    /// - Returns: `false` where it is none, and so for YAML to judge.
    private static func compileAsJSON(
        _ text: ArraySlice<UInt8>, isNamedJSON: Bool, _ state: inout CompilerState,
        _ report: inout DiagnosticCollector
    ) -> Bool {
        let first = text.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        guard first == UInt8(ascii: "{") else { return false }
        do throws(NodeBuilder.Abort) {
            let (root, findings) = try readJSON(text)
            state.document(root, findings, &report)
        } catch {
            guard isNamedJSON else { return false }
            report.error(error.mark, "", error.message)
        }
        return true
    }

    private static func compileAsYAML(
        _ text: ArraySlice<UInt8>, _ state: inout CompilerState,
        _ report: inout DiagnosticCollector
    ) {
        guard TextEncoding.tagDirectives(text) <= ManifestLimits.maxTagDirectives else {
            report.error(.start, "", "the file has more than 64 %TAG directives")
            return
        }
        text.withUnsafeBufferPointer { bytes in
            guard var reader = YAMLReader(bytes, text: text) else { return }
            while let document = reader.next() {
                state.document(document.root, document.findings, &report)
            }
        }
    }
}

/// What one compilation has so far.
private struct CompilerState {
    private var objects: [CompiledObject] = []
    private var diagnostics: [Diagnostic] = []
    private var names = NameRegistry()

    var compilation: Compilation { Compilation(objects: objects, diagnostics: diagnostics) }

    mutating func document(
        _ root: Node?, _ findings: [NodeBuilder.Finding], _ report: inout DiagnosticCollector
    ) {
        for finding in findings { report.error(finding.mark, finding.path, finding.message) }
        guard let root else { return }
        guard let result = DocumentDecoder.decode(root, &report), findings.isEmpty,
            names.register(result, &report)
        else { return }
        objects.append(result.object)
    }

    mutating func finish(_ report: inout DiagnosticCollector) {
        report.finish()
        diagnostics += report.diagnostics
    }
}
