/// A table of text: columns as wide as their content, two blanks between them.
struct Table {
    /// What gives way where a terminal is too narrow.
    enum Shrink {
        case never
        /// Cut at the end, down to so many columns.
        case end(Int)
        /// Cut inside, down to so many columns: for URLs.
        case inside(Int)
    }

    struct Column {
        var title: String
        var shrink = Shrink.never
        /// Numbers stand to the right.
        var isNumber = false
        /// Left out where the terminal is too narrow even for shrunk columns, the lowest first.
        var dropOrder: Int?
    }

    var columns: [Column]
    var rows: [[String]] = []

    /// - Parameter width: Of the terminal; `nil` cuts nothing.
    func render(width: Int?, style: Style) -> String {
        if let width, let narrower = narrower(than: width) {
            return narrower.render(width: width, style: style)
        }
        let widths = fittedWidths(width)
        var text = line(columns.map(\.title), widths, style: style, role: .heading)
        for row in rows { text += line(row, widths, style: style, role: nil) }
        return text
    }

    /// This table without its most dispensable column, where it would not fit.
    private func narrower(than width: Int) -> Table? {
        let needed = fittedWidths(width).reduce(0, +) + 2 * (columns.count - 1)
        let dispensable = columns.indices
            .compactMap { index in columns[index].dropOrder.map { (order: $0, index: index) } }
            .min { $0.order < $1.order }
        guard needed > width, let index = dispensable?.index else { return nil }
        var table = self
        table.columns.remove(at: index)
        for row in table.rows.indices { table.rows[row].remove(at: index) }
        return table
    }

    private func fittedWidths(_ width: Int?) -> [Int] {
        var widths = columns.map { TerminalText.columns($0.title) }
        for row in rows {
            for (index, cell) in row.enumerated() {
                widths[index] = max(widths[index], TerminalText.columns(cell))
            }
        }
        guard let width else { return widths }
        var excess = widths.reduce(0, +) + 2 * (columns.count - 1) - width
        for (index, least) in shrinkOrder where excess > 0 {
            let given = min(excess, max(0, widths[index] - least))
            widths[index] -= given
            excess -= given
        }
        return widths
    }

    /// URLs first, then texts.
    private var shrinkOrder: [(index: Int, least: Int)] {
        var inside: [(Int, Int)] = []
        var end: [(Int, Int)] = []
        for (index, column) in columns.enumerated() {
            switch column.shrink {
            case .never: continue
            case .end(let least): end.append((index, least))
            case .inside(let least): inside.append((index, least))
            }
        }
        return inside + end.reversed()
    }

    private func line(
        _ cells: [String], _ widths: [Int], style: Style, role: Style.Role?
    ) -> String {
        var text = ""
        for (index, column) in columns.enumerated() {
            let cell = fit(cells[index], column, widths[index])
            let gap = String(repeating: " ", count: widths[index] - TerminalText.columns(cell))
            let isLast = index == columns.count - 1
            text += column.isNumber ? gap + cell : cell + (isLast ? "" : gap)
            if !isLast { text += "  " }
        }
        while text.last == " " { text.removeLast() }
        return (role.map { style(text, $0) } ?? text) + "\n"
    }

    private func fit(_ cell: String, _ column: Column, _ width: Int) -> String {
        switch column.shrink {
        case .never: cell
        case .end: TerminalText.truncated(cell, to: width)
        case .inside: TerminalText.truncatedInside(cell, to: width)
        }
    }
}
