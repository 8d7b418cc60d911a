import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Makes an {@code android.jar} to compile against: {@code java StubJar.java out.jar android-all.jar jdk.jar}.
 *
 * <p>Like Google's, the result has declarations and resources only: every method body throws. Where a class is in both inputs the
 * first wins, so Android's own version of a {@code java.*} class goes before the JDK's. Unlike Google's, it still shows hidden members whose
 * signature uses public types only, so that code which compiles here must keep to documented API by its author's care.
 */
public class StubJar {
  /** The packages an app may name. */
  private static final List<String> PUBLIC =
      List.of(
          "android/", "java/", "javax/", "dalvik/", "org/json/", "org/w3c/", "org/xml/", "org/xmlpull/", "org/apache/http/");

  private static final Pattern CLASS_IN_DESCRIPTOR = Pattern.compile("L([^;]+);");

  public static void main(String[] args) throws IOException {
    Set<String> written = new HashSet<>();
    try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(Path.of(args[0])));
        ZipOutputStream out = new ZipOutputStream(file)) {
      out.setLevel(1); // the jar lives in a cache: speed before size
      for (int i = 1; i < args.length; i++) {
        boolean resourcesToo = i == 1;
        try (ZipFile in = new ZipFile(args[i])) {
          for (ZipEntry entry : Collections.list(in.entries())) {
            String name = entry.getName();
            boolean wanted = name.endsWith(".class") ? isPublic(name) : resourcesToo && isResource(name);
            if (entry.isDirectory() || !wanted || written.contains(name)) {
              continue;
            }
            written.add(name);
            byte[] bytes = in.getInputStream(entry).readAllBytes();
            if (name.endsWith(".class")) {
              ClassReader reader = new ClassReader(bytes);
              if (has(reader.getAccess(), Opcodes.ACC_SYNTHETIC)) {
                continue;
              }
              bytes = stubOf(reader);
            }
            out.putNextEntry(new ZipEntry(name));
            out.write(bytes);
            out.closeEntry();
          }
        }
      }
    }
  }

  private static boolean isPublic(String name) {
    return PUBLIC.stream().anyMatch(name::startsWith);
  }

  private static boolean isResource(String name) {
    return name.equals("resources.arsc") || name.equals("AndroidManifest.xml") || name.startsWith("res/");
  }

  private static boolean has(int access, int flag) {
    return (access & flag) != 0;
  }

  /** Whether all classes in a signature are in the result: a member that names com.android.internal and the like is hidden API anyway. */
  private static boolean isComplete(String descriptor) {
    Matcher classes = CLASS_IN_DESCRIPTOR.matcher(descriptor);
    while (classes.find()) {
      if (!isPublic(classes.group(1))) {
        return false;
      }
    }
    return true;
  }

  private static byte[] stubOf(ClassReader reader) {
    ClassWriter writer = new ClassWriter(0);
    reader.accept(new Declarations(writer), ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG);
    return writer.toByteArray();
  }

  /** Passes on what an app can see of a class, every body replaced. */
  private static class Declarations extends ClassVisitor {
    Declarations(ClassVisitor next) {
      super(Opcodes.ASM9, next);
    }

    @Override
    public FieldVisitor visitField(int access, String name, String descriptor, String signature, Object value) {
      boolean internal = has(access, Opcodes.ACC_PRIVATE | Opcodes.ACC_SYNTHETIC);
      return internal || !isComplete(descriptor) ? null : super.visitField(access, name, descriptor, signature, value);
    }

    @Override
    public MethodVisitor visitMethod(
        int access, String name, String descriptor, String signature, String[] exceptions) {
      // A private constructor stays: without it the compiler would give the class a public one.
      boolean internal = has(access, Opcodes.ACC_PRIVATE) && !name.equals("<init>");
      // Bridges are synthetic too, but callers of generic methods link to them.
      boolean generated = has(access, Opcodes.ACC_SYNTHETIC) && !has(access, Opcodes.ACC_BRIDGE);
      if (internal || generated || name.equals("<clinit>") || !isComplete(descriptor)) {
        return null;
      }
      MethodVisitor method = super.visitMethod(access, name, descriptor, signature, exceptions);
      boolean hasBody = !has(access, Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE);
      return hasBody ? throwing(method, access, descriptor) : method;
    }

    private static MethodVisitor throwing(MethodVisitor method, int access, String descriptor) {
      return new MethodVisitor(Opcodes.ASM9, method) {
        @Override
        public void visitEnd() {
          String exception = "java/lang/RuntimeException";
          mv.visitCode();
          mv.visitTypeInsn(Opcodes.NEW, exception);
          mv.visitInsn(Opcodes.DUP);
          mv.visitLdcInsn("Stub!");
          mv.visitMethodInsn(Opcodes.INVOKESPECIAL, exception, "<init>", "(Ljava/lang/String;)V", false);
          mv.visitInsn(Opcodes.ATHROW);
          int locals = has(access, Opcodes.ACC_STATIC) ? 0 : 1;
          for (Type argument : Type.getArgumentTypes(descriptor)) {
            locals += argument.getSize();
          }
          mv.visitMaxs(3, locals);
          mv.visitEnd();
        }
      };
    }
  }
}
