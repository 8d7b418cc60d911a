// swift-tools-version: 6.0
import PackageDescription

// The Rust library: on Apple's systems the XCFramework that build-xcframework.sh makes, on Linux the shared library,
// whose folder the caller names (`swift test -Xlinker -L../../target/debug`). What is in Generated/ comes from
// bindings/generate.sh and is never committed.
#if os(Linux)
    let rust: Target = .systemLibrary(name: "SotayFFI", path: "Generated/SotayFFI")
    let linked: [LinkerSetting] = [.linkedLibrary("sotay_ffi")]
#else
    let rust: Target = .binaryTarget(name: "SotayFFI", path: "Generated/SotayFFI.xcframework")
    let linked: [LinkerSetting] = []
#endif

let package = Package(
    name: "Sotay",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "Sotay", targets: ["Sotay"]),
        .library(name: "SotayTestSupport", targets: ["SotayTestSupport"]),
    ],
    targets: [
        rust,
        // One module: what is generated, and the layer by hand above it.
        .target(
            name: "Sotay",
            dependencies: ["SotayFFI"],
            path: ".",
            exclude: ["Generated/SotayFFI", "Sources/SotayTestSupport", "Tests", "build-xcframework.sh"],
            sources: ["Generated/SotayGenerated", "Sources/Sotay"],
            linkerSettings: linked
        ),
        .target(name: "SotayTestSupport", dependencies: ["Sotay"]),
        .testTarget(name: "SotayTests", dependencies: ["Sotay", "SotayTestSupport"]),
    ]
)
