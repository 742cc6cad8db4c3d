import NIOCore

/// Runs tasks on an event loop.
///
/// A task that prefers it and makes calls one after the other stays on the loop that reads the
/// answers, so a call costs it no change of threads.
final class LoopExecutor: TaskExecutor {
    let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
