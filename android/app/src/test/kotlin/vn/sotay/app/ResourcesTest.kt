package vn.sotay.app

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

/** What the resource and manifest files must hold, read as files. */
class ResourcesTest {
    private val resources = File(System.getProperty("sotay.resources"))

    private fun elements(
        file: File,
        vararg names: String,
    ): List<Element> {
        val document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file)
        return names.flatMap { name ->
            val found = document.getElementsByTagName(name)
            (0 until found.length).map { found.item(it) as Element }
        }
    }

    private fun texts(folder: String): Map<String, String> =
        File(resources, folder)
            .listFiles { file -> file.name.startsWith("strings") }
            .orEmpty()
            .flatMap { elements(it, "string", "plurals", "string-array") }
            .associate { it.getAttribute("name") to it.textContent.trim() }

    @Test
    fun `both languages have the same texts with the same places for values`() {
        val vietnamese = texts("values")
        val english = texts("values-en")
        assertTrue(vietnamese.size > 200)
        assertEquals(vietnamese.keys, english.keys)
        val places = Regex("""%\d+\$""")
        for ((name, text) in vietnamese) {
            fun placesOf(of: String) = places.findAll(of).map { it.value }.toSet()
            assertEquals(name, placesOf(text), placesOf(english.getValue(name)))
        }
    }

    @Test
    fun `one component is exported, nothing is backed up, nothing goes in the clear`() {
        val manifest = File(resources.parentFile, "AndroidManifest.xml")
        val exported =
            elements(manifest, "activity", "service", "receiver", "provider")
                .filter { it.getAttribute("android:exported") == "true" }
                .map { it.getAttribute("android:name") }
        assertEquals(listOf(".MainActivity"), exported)
        assertEquals(listOf("sotay"), elements(manifest, "data").map { it.getAttribute("android:scheme") })
        assertEquals("false", elements(manifest, "application").single().getAttribute("android:allowBackup"))
        val network = elements(File(resources, "xml/network_security.xml"), "base-config").single()
        assertEquals("false", network.getAttribute("cleartextTrafficPermitted"))
        val rules = File(resources, "xml/data_extraction_rules.xml")
        for (way in listOf("cloud-backup", "device-transfer")) {
            val excluded = elements(rules, way).single().getElementsByTagName("exclude").length
            assertEquals(way, 5, excluded)
        }
    }
}
