import Manager
import ManagerCore
import TestKit
import Testing

/// When a state of the directory is acted on. Time is passed in.
struct DirectoryWatchTests {
    private typealias Watch = DirectoryWatch

    private let start = Moment(.zero)
    private func at(_ milliseconds: Int) -> Moment {
        start.advanced(by: .milliseconds(milliseconds))
    }

    private func snapshot(_ sizes: Int64...) -> DirectorySnapshot {
        DirectorySnapshot(
            files: sizes.enumerated().map {
                .init(
                    path: "\($0.offset).yaml",
                    stamp: .init(device: 1, inode: 1, size: $0.element, modified: 0, changed: 0))
            })
    }

    /// A watch that has judged this.
    private func settled(_ snapshot: DirectorySnapshot) -> Watch {
        var watch = Watch()
        _ = watch.looked(snapshot, hasDrifted: false, now: at(-1000))
        _ = watch.looked(snapshot, hasDrifted: false, now: at(-500))
        watch.judged(snapshot, isWorthARetry: false, now: at(-500))
        return watch
    }

    @Test func aChangeIsJudgedWhenTwoLooksAgree() {
        var watch = Watch()
        #expect(watch.looked(snapshot(1), hasDrifted: false, now: at(0)) == .wait(Watch.settle))
        #expect(watch.looked(snapshot(1), hasDrifted: false, now: at(250)) == .judge)
        watch.judged(snapshot(1), isWorthARetry: false, now: at(260))
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(800)) == .wait(Watch.interval))
    }

    @Test func aTreeThatGoesOnChangingIsNotJudged() {
        var watch = settled(snapshot(1))
        for round in 0..<20 {
            #expect(
                watch.looked(snapshot(Int64(round + 2)), hasDrifted: false, now: at(round * 250))
                    == .wait(Watch.settle))
        }
    }

    @Test func aLookThatComesEarlyWaitsForTheRest() {
        var watch = Watch()
        _ = watch.looked(snapshot(1), hasDrifted: false, now: at(0))
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(100))
                == .wait(.milliseconds(150)))
    }

    @Test func whatComesBackBeforeItWasJudgedIsNoChange() {
        var watch = settled(snapshot(1))
        #expect(watch.looked(snapshot(2), hasDrifted: false, now: at(0)) == .wait(Watch.settle))
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(250)) == .wait(Watch.interval))
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(750)) == .wait(Watch.interval))
    }

    @Test func filesThatChangeWhileTheyAreReadBeginAnew() {
        var watch = settled(snapshot(1))
        _ = watch.looked(snapshot(2), hasDrifted: false, now: at(0))
        #expect(watch.looked(snapshot(2), hasDrifted: false, now: at(250)) == .judge)
        watch.changedMeanwhile()
        #expect(watch.looked(snapshot(2), hasDrifted: false, now: at(300)) == .wait(Watch.settle))
        #expect(watch.looked(snapshot(2), hasDrifted: false, now: at(550)) == .judge)
    }

    @Test func aReloadJudgesWhatHasNotChanged() {
        var watch = settled(snapshot(1))
        watch.askedToReload()
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(0))
                == .wait(Watch.settleWhenAsked))
        #expect(watch.looked(snapshot(1), hasDrifted: false, now: at(50)) == .judge)
        #expect(watch.isAskedToReload)
        watch.judged(snapshot(1), isWorthARetry: false, now: at(60))
        #expect(!watch.isAskedToReload)
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(600)) == .wait(Watch.interval))
    }

    @Test func aSetThatSomebodyElseChangedIsPutRight() {
        var watch = settled(snapshot(1))
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(0)) == .wait(Watch.interval))
        #expect(watch.looked(snapshot(1), hasDrifted: true, now: at(500)) == .judge)
    }

    @Test func whatMayPassIsTriedAgain() {
        var watch = Watch()
        _ = watch.looked(snapshot(1), hasDrifted: false, now: at(0))
        watch.judged(snapshot(1), isWorthARetry: true, now: at(250))
        #expect(
            watch.looked(snapshot(1), hasDrifted: false, now: at(10_200)) == .wait(Watch.interval))
        #expect(watch.looked(snapshot(1), hasDrifted: false, now: at(10_250)) == .judge)
    }

    @Test func aFileThatMayBeCutOffIsGivenTime() {
        var watch = Watch()
        _ = watch.looked(snapshot(1), hasDrifted: false, now: at(0))
        #expect(watch.looked(snapshot(1), hasDrifted: false, now: at(250)) == .judge)
        #expect(watch.patience(now: at(250)) == Watch.interval)
        #expect(watch.patience(now: at(4_900)) == .milliseconds(100))
        #expect(watch.patience(now: at(5_000)) == nil)
        watch.askedToReload()
        #expect(watch.patience(now: at(0)) == nil)
    }

    @Test func aSlowTreeIsLookedAtLessOften() {
        #expect(
            Watch.spread(.milliseconds(500), lookTook: .milliseconds(1)) == .milliseconds(500))
        #expect(
            Watch.spread(Watch.interval, lookTook: .milliseconds(100)) == .milliseconds(2_000))
        #expect(Watch.spread(Watch.interval, lookTook: .seconds(10)) == Watch.longestInterval)
        #expect(Watch.spread(Watch.settle, lookTook: .seconds(1)) == Watch.settle)
    }
}
