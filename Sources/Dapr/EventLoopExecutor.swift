package import NIOCore

/// Runs tasks on one event loop, apart from the threads that all others share.
///
/// A list of ten thousand connections that is being put together there holds up nothing of theirs,
/// and a task that makes calls one after the other stays on the loop that reads the answers: a call
/// costs it no change of threads.
package final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Lets the loop see to its sockets before the caller's task goes on: one that only went to the
    /// end of the loop's queue would still come before them.
    package func giveWay() async {
        await withTaskExecutorPreference(globalConcurrentExecutor) {}
    }
}
