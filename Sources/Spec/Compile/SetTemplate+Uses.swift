extension SetTemplate {
    /// One use of a variable: the path of the string and its place.
    struct Use {
        var path: String
        var mark: Mark
        var name: String
    }

    /// Every use of every variable.
    var uses: [Use] {
        var uses = name.variables.map { Use(path: "spec.name", mark: nameMark, name: $0) }
        for label in labels {
            let path = "spec.template.metadata.labels[\(label.key)]"
            uses += label.value.variables.map { Use(path: path, mark: label.mark, name: $0) }
        }
        for annotation in annotations {
            let path = "spec.template.metadata.annotations[\(annotation.key)]"
            uses += annotation.value.variables.map {
                Use(path: path, mark: annotation.mark, name: $0)
            }
        }
        for (index, _, value) in dynamic {
            let path = "spec.template.spec.\(FieldTable.fields[index].path)"
            uses += value.variables.map { Use(path: path, mark: $0.mark, name: $0.name) }
        }
        return uses
    }

    /// Bytes of text that every member has a copy of, variables not counted.
    var literalBytes: Int {
        name.literalBytes + labels.reduce(0) { $0 + $1.value.literalBytes }
            + annotations.reduce(0) { $0 + $1.value.literalBytes }
            + dynamic.reduce(0) { $0 + $1.value.literalBytes }
    }
}
