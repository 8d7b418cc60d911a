package org.gradle.internal.compiler.java;

import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.annotation.processing.Processor;
import javax.tools.JavaCompiler;

/**
 * Takes the place of Gradle's class of this name, which the API jar leaves out. It compiles and leaves the analysis of what depends on what
 * undone, so Java sources are always compiled anew as a whole.
 */
public class IncrementalCompileTask implements JavaCompiler.CompilationTask {
  private final JavaCompiler.CompilationTask compilation;

  /** Gradle calls this constructor; all but the first argument collect the results of the analysis that is not made. */
  public IncrementalCompileTask(
      JavaCompiler.CompilationTask compilation,
      Function<?, ?> relativize,
      Consumer<?> classNames,
      Consumer<?> classFiles,
      BiConsumer<?, ?> dependencies,
      BiConsumer<?, ?> constants) {
    this.compilation = compilation;
  }

  @Override
  public void addModules(Iterable<String> names) {
    compilation.addModules(names);
  }

  @Override
  public void setProcessors(Iterable<? extends Processor> processors) {
    compilation.setProcessors(processors);
  }

  @Override
  public void setLocale(Locale locale) {
    compilation.setLocale(locale);
  }

  @Override
  public Boolean call() {
    return compilation.call();
  }
}
