package vn.sotay.app

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

/** What the files of texts must hold. */
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
}
