internal import ArgumentParser

/// Where manifests come from.
struct InputOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("filename")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A manifest file, a directory (all *.yaml, *.yml and *.json below it), or - for the"
                + " standard input. May be repeated.",
            valueName: "file"))
    var files: [String] = []

    /// - Throws: A ``CommandFailure`` where no file is given.
    func requireFiles(for verb: String) throws {
        guard files.isEmpty else { return }
        throw CommandFailure.usage(
            "nothing to \(verb): name files, directories or - with -f. See wsm-apply \(verb) --help"
        )
    }
}

/// What decides how an apply set changes; the same for apply, plan and diff.
struct ApplySetOptions: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "The apply set that owns what is applied. Default: default.", valueName: "name"))
    var givenSet: String?

    @Flag(help: "Delete what the set has and the input lacks.")
    var prune = false

    @Flag(help: "With --prune: let an empty input delete everything.")
    var allowEmpty = false

    @Option(
        help: ArgumentHelp(
            "With --prune: delete at most so many objects. Default 20%, but never below 5.",
            valueName: "n|p%"))
    var maxPrune: String?

    @Flag(help: "Take over objects of another set or of the gRPC API, without a reconnect.")
    var adopt = false

    @OptionGroup var guards: ChangeGuards

    var set: String { givenSet ?? "default" }

    /// None of them is given.
    var isUntouched: Bool {
        givenSet == nil && !prune && !allowEmpty && maxPrune == nil && !adopt && guards.isUntouched
    }

    func validate() throws {
        if set.isEmpty { throw ValidationError("--set needs a name") }
        try PruneLimitText.check(maxPrune)
        if !prune, allowEmpty || maxPrune != nil {
            throw ValidationError("--allow-empty and --max-prune go with --prune")
        }
    }
}

/// The value of `--max-prune`.
enum PruneLimitText {
    static func check(_ text: String?) throws {
        guard let text, !isValid(text) else { return }
        throw ValidationError(
            "--max-prune is \"\(text)\": it should be a number or a percentage, as in 10 or 20%")
    }

    private static func isValid(_ text: String) -> Bool {
        let isPercentage = text.hasSuffix("%")
        let digits = isPercentage ? text.dropLast() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return false
        }
        guard let number = Int32(digits) else { return false }
        return !isPercentage || number <= 100
    }
}
