import ManagerCore
import Testing

@Suite struct LabelSelectorTests {
    @Test(arguments: [
        ("", ["a": "1"], true), ("  ", [:], true),
        ("a=1", ["a": "1"], true), ("a=1", ["a": "2"], false), ("a=1", [:], false),
        ("a==1", ["a": "1"], true), (" a = 1 , b = 2 ", ["a": "1", "b": "2"], true),
        ("a=1,b=2", ["a": "1"], false), ("a!=1", ["a": "2"], true), ("a!=1", [:], true),
        ("a!=1", ["a": "1"], false), ("a in (1,2)", ["a": "2"], true), ("a in (1)", [:], false),
        ("a in(1 , 2)", ["a": "3"], false), ("a notin (1,2)", ["a": "3"], true),
        ("a notin (1,2)", [:], true), ("a notin (1)", ["a": "1"], false),
        ("a", ["a": ""], true), ("a", [:], false), ("!a", [:], true), ("! a", ["a": "1"], false),
        ("a=", ["a": ""], true), ("a=", ["a": "1"], false), ("a=,b", ["a": "", "b": "x"], true),
        ("a in (,1)", ["a": ""], true), ("in in (in)", ["in": "in"], true),
        ("wsm.virtufin.com/x-y_z=A.b", ["wsm.virtufin.com/x-y_z": "A.b"], true),
        (#""a b"="c,\"d\"""#, ["a b": #"c,"d""#], true), ("ä=ö", ["ä": "ö"], true),
    ])
    func labelsAreMatched(text: String, labels: [String: String], isMatch: Bool) throws {
        #expect(try LabelSelector(text).matches(labels) == isMatch)
    }

    @Test(arguments: [
        (",", 1, "a label key"), ("a,", 3, "a label key"), ("a,,b", 3, "a label key"),
        ("=1", 1, "a label key"), ("a b", 3, "=, ==, !=, in, notin"), ("a=1 b", 5, "a comma"),
        ("a=b=c", 4, "a comma"), ("a==!b", 4, "a value"), ("a in 1", 6, "a list"),
        ("a in (1", 8, "a comma or )"), ("a in (1 2)", 9, "a comma or )"), ("a in", 5, "a list"),
        ("!", 2, "a label key after !"), ("!a=1", 3, "a comma"), ("a=\"x", 3, "never closed"),
        ("(a)", 1, "a label key"), ("a!b", 2, "=, ==, !="),
    ])
    func aBrokenSelectorSaysWhere(text: String, column: Int, message: String) {
        #expect {
            try LabelSelector(text)
        } throws: { error in
            let error = error as? LabelSelector.ParseError
            return error?.column == column && error?.message.contains(message) == true
        }
    }

    @Test func exactFiltersTakeEveryKeyAndValue() {
        let selector = LabelSelector(exact: [("a=b", "c,d"), ("x", "")])
        #expect(selector.matches(["a=b": "c,d", "x": "", "y": "1"]))
        #expect(!selector.matches(["a=b": "c,d"]))
        #expect(LabelSelector(exact: []).matches([:]))
    }
}
