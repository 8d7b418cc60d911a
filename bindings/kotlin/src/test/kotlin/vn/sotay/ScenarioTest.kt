package vn.sotay

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

/** Every story of tests/scenarios, through the Kotlin handbook against a real server process. */
class ScenarioTest {
    @TestFactory
    fun stories(): List<DynamicTest> {
        val files =
            ScenarioServer.folder
                .listFiles { file -> file.extension == "json" }
                .orEmpty()
                .sorted()
        check(files.isNotEmpty()) { "no scenarios in ${ScenarioServer.folder}" }
        return files.map { file ->
            DynamicTest.dynamicTest(file.nameWithoutExtension) {
                runBlocking { ScenarioRunner(file).use { it.run() } }
            }
        }
    }
}
