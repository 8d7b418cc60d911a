// swift-tools-version: 6.0
import PackageDescription

// Everything of the iPhone app but the views, so that it can be compiled and tested on any system that has Swift. The
// views in App/ are compiled by Xcode only (project.yml).
let package = Package(
    name: "SotayApp",
    defaultLocalization: "vi",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "SotayApp", targets: ["SotayApp"])],
    dependencies: [.package(path: "../bindings/swift")],
    targets: [
        .target(name: "SotayApp", dependencies: [.product(name: "Sotay", package: "swift")]),
        .testTarget(
            name: "SotayAppTests",
            dependencies: ["SotayApp", .product(name: "SotayTestSupport", package: "swift")]
        ),
    ]
)
