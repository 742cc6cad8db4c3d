import Foundation
import ManagerCore
import Testing

@testable import Manager

struct MetricsTextTests {
    @Test func familiesHaveHelpTypeAndSamples() {
        let family = MetricFamily(
            "wsm_x_total", .counter, labels: ["a", "b"], "What\nit \\ is.")
        var text = MetricsText()
        text.begin(family)
        text.sample(family, ["one", "say \"two\"\n\\"], 3 as UInt64)
        #expect(
            text.text == """
                # HELP wsm_x_total What\\nit \\\\ is.
                # TYPE wsm_x_total counter
                wsm_x_total{a="one",b="say \\"two\\"\\n\\\\"} 3

                """)
    }

    @Test func aHistogramIsCumulativeInSeconds() {
        var histogram = DurationHistogram(bounds: [.milliseconds(5), .seconds(1)])
        histogram.record(.milliseconds(5))
        histogram.record(.milliseconds(6))
        histogram.record(.seconds(2))
        var text = MetricsText()
        text.histogram(MetricFamily("wsm_h_seconds", .histogram, "H."), histogram)
        #expect(
            text.text == """
                # HELP wsm_h_seconds H.
                # TYPE wsm_h_seconds histogram
                wsm_h_seconds_bucket{le="0.005"} 1
                wsm_h_seconds_bucket{le="1"} 2
                wsm_h_seconds_bucket{le="+Inf"} 3
                wsm_h_seconds_sum 2.011
                wsm_h_seconds_count 3

                """)
    }

    @Test(arguments: [
        (1000, "1000"), (1006, "1006"), (1002, "1xxx"), (2500, "1xxx"), (3000, "3xxx"),
        (4999, "4xxx"), (5000, "other"), (0, "other"),
    ]) func closeCodesAreGrouped(_ code: UInt16, _ group: String) {
        #expect(CloseCodeGroup(code).rawValue == group)
    }
}
