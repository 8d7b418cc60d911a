import BackgroundTasks

/// The refresh that the system starts when it sees fit. The identifier also stands in Info.plist (project.yml).
enum BackgroundRefresh {
    static let identifier = "vn.sotay.refresh"

    static func plan() {
        let request = BGAppRefreshTaskRequest(identifier: identifier)
        request.earliestBeginDate = Date(timeIntervalSinceNow: 3600)
        try? BGTaskScheduler.shared.submit(request)
    }
}
