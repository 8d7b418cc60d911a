import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.commons.ClassRemapper;
import org.objectweb.asm.commons.Remapper;

/**
 * Makes Gradle's main jar from the published Gradle API jar: {@code java Unrelocate.java gradle-api.jar out.jar}.
 *
 * <p>The API jar carries every third-party package under {@code org.gradle.internal.impldep}. That is right for nearly all of them (they
 * cannot clash with what a plug-in brings), but wrong for the test frameworks: Gradle's test worker runs the tests with the JUnit that the
 * tests were compiled against, so it must call the packages by their own names. Those, and only those, get their names back.
 */
public class Unrelocate {
  private static final String RELOCATED = "org/gradle/internal/impldep/";

  /** What a test worker shares with the tests it runs. */
  private static final List<String> SHARED_WITH_TESTS =
      List.of("org/junit/", "junit/", "org/hamcrest/", "org/opentest4j/", "org/apiguardian/", "org/testng/");

  public static void main(String[] args) throws IOException {
    Remapper names =
        new Remapper() {
          @Override
          public String map(String internalName) {
            return className(internalName);
          }

          @Override
          public Object mapValue(Object constant) {
            return constant instanceof String text ? inText(text) : super.mapValue(constant);
          }
        };
    Set<String> written = new HashSet<>();
    try (ZipFile in = new ZipFile(args[0]);
        OutputStream file = new BufferedOutputStream(Files.newOutputStream(Path.of(args[1])));
        ZipOutputStream out = new ZipOutputStream(file)) {
      out.setLevel(1); // the jar lives in a cache: speed before size
      for (ZipEntry entry : Collections.list(in.entries())) {
        String name = inText(entry.getName());
        if (entry.isDirectory() || isLeftOut(name) || !written.add(name)) {
          continue;
        }
        byte[] bytes = in.getInputStream(entry).readAllBytes();
        out.putNextEntry(new ZipEntry(name));
        out.write(rewritten(name, bytes, names));
        out.closeEntry();
      }
    }
  }

  /**
   * Signatures no longer fit; a module descriptor would hide packages; mkdist.py writes the descriptions of Gradle's modules anew; and a
   * service file of the JDK (META-INF/services/java…) would put relocated classes in the place of the JDK's own.
   */
  private static boolean isLeftOut(String name) {
    return name.startsWith("META-INF/services/java")
        || name.endsWith("module-info.class")
        || name.matches("META-INF/.*\\.(SF|RSA|DSA)")
        || name.matches("[^/]+-classpath\\.properties");
  }

  private static byte[] rewritten(String name, byte[] bytes, Remapper names) {
    if (name.endsWith(".class")) {
      ClassWriter writer = new ClassWriter(0);
      new ClassReader(bytes).accept(new ClassRemapper(writer, names), 0);
      return writer.toByteArray();
    }
    if (name.startsWith("META-INF/services/") || name.endsWith(".properties") || name.endsWith(".xml")) {
      // ISO 8859-1 keeps every byte as it was
      return inText(new String(bytes, StandardCharsets.ISO_8859_1)).getBytes(StandardCharsets.ISO_8859_1);
    }
    return bytes;
  }

  private static String className(String internalName) {
    if (internalName.startsWith(RELOCATED)) {
      String original = internalName.substring(RELOCATED.length());
      if (SHARED_WITH_TESTS.stream().anyMatch(original::startsWith)) {
        return original;
      }
    }
    return internalName;
  }

  /** Names inside texts (reflection, service files) come with slashes or with dots, with or without a class behind the package. */
  private static String inText(String text) {
    String dotted = RELOCATED.replace('/', '.');
    if (!text.contains(RELOCATED) && !text.contains(dotted)) {
      return text;
    }
    String result = text;
    for (String slashes : SHARED_WITH_TESTS) {
      String dots = slashes.replace('/', '.');
      result = result.replace(RELOCATED + slashes, slashes).replace(dotted + dots, dots);
      if (result.equals(RELOCATED + withoutLast(slashes)) || result.equals(dotted + withoutLast(dots))) {
        result = result.substring(RELOCATED.length());
      }
    }
    return result;
  }

  private static String withoutLast(String text) {
    return text.substring(0, text.length() - 1);
  }
}
