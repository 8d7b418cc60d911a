package org.gradle.launcher;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.gradle.api.internal.StartParameterInternal;
import org.gradle.api.internal.file.FileCollectionFactory;
import org.gradle.cli.CommandLineParser;
import org.gradle.initialization.DefaultBuildCancellationToken;
import org.gradle.initialization.DefaultBuildRequestContext;
import org.gradle.initialization.DefaultBuildRequestMetaData;
import org.gradle.initialization.layout.BuildLayoutFactory;
import org.gradle.internal.buildprocess.BuildProcessState;
import org.gradle.internal.classpath.ClassPath;
import org.gradle.internal.instrumentation.agent.AgentStatus;
import org.gradle.internal.logging.LoggingManagerInternal;
import org.gradle.internal.logging.services.LoggingServiceRegistry;
import org.gradle.internal.nativeintegration.services.NativeServices;
import org.gradle.internal.service.ServiceRegistry;
import org.gradle.internal.service.ServiceRegistryBuilder;
import org.gradle.internal.service.scopes.BasicGlobalScopeServices;
import org.gradle.launcher.cli.BuildEnvironmentConfigurationConverter;
import org.gradle.launcher.cli.Parameters;
import org.gradle.launcher.exec.BuildActionResult;
import org.gradle.launcher.exec.BuildExecutor;
import org.gradle.launcher.exec.DefaultBuildActionParameters;
import org.gradle.tooling.internal.provider.action.ExecuteBuildAction;
import org.gradle.util.GradleVersion;

/**
 * The command line of a Gradle put together from its API jar: runs the build in this very process and exits with its result.
 *
 * <p>Gradle's own entry starts a daemon from a list of jars that only a full distribution has, so its place is taken by this one, which does
 * what the daemon would do. There is no daemon to ask for, hence {@code --daemon} and {@code --no-daemon} are accepted and mean nothing.
 */
public class Main {
  public static void main(String[] args) {
    new Main().run(args);
  }

  /** Called by {@code org.gradle.launcher.GradleMain} through reflection; never returns. */
  public void run(String[] commandLine) {
    List<String> args = new ArrayList<>(Arrays.asList(commandLine));
    if (args.contains("--version") || args.contains("-v")) {
      System.out.println("Gradle " + GradleVersion.current().getVersion() + " (in-process)");
      System.exit(0);
    }
    args.removeAll(List.of("--no-daemon", "--daemon"));

    int exitCode = 1;
    try {
      exitCode = build(args) ? 0 : 1;
    } catch (Throwable problem) {
      problem.printStackTrace();
    }
    System.out.flush();
    System.err.flush();
    // Plug-ins leave threads behind that would keep the process alive.
    System.exit(exitCode);
  }

  private static boolean build(List<String> args) {
    ServiceRegistry logging = LoggingServiceRegistry.newCommandLineProcessLogging();
    NativeServices.initializeOnClient(gradleUserHome(), NativeServices.NativeServicesMode.fromSystemProperties());
    Parameters parameters = parse(args, logging);
    StartParameterInternal start = parameters.getStartParameter();

    LoggingManagerInternal console = logging.getFactory(LoggingManagerInternal.class).create();
    console.setLevelInternal(start.getLogLevel());
    console.start();
    console.attachProcessConsole(start.getConsoleOutput());

    BuildProcessState process =
        new BuildProcessState(false, AgentStatus.disabled(), ClassPath.EMPTY, logging, NativeServices.getInstance());
    Map<Object, Object> properties = new HashMap<>(System.getProperties());
    properties.putAll(parameters.getDaemonParameters().getEffectiveSystemProperties());
    BuildActionResult result =
        process
            .getServices()
            .get(BuildExecutor.class)
            .execute(
                new ExecuteBuildAction(start),
                new DefaultBuildActionParameters(
                    properties,
                    new HashMap<>(System.getenv()),
                    start.getCurrentDir(),
                    start.getLogLevel(),
                    false,
                    ClassPath.EMPTY),
                new DefaultBuildRequestContext(
                    new DefaultBuildRequestMetaData(System.currentTimeMillis(), false),
                    new DefaultBuildCancellationToken(),
                    event -> {}));
    console.stop();
    process.close();
    return !result.hasFailure();
  }

  private static Parameters parse(List<String> args, ServiceRegistry logging) {
    ServiceRegistry basic =
        ServiceRegistryBuilder.builder()
            .displayName("basic")
            .parent(logging)
            .parent(NativeServices.getInstance())
            .provider(new BasicGlobalScopeServices())
            .build();
    BuildEnvironmentConfigurationConverter converter =
        new BuildEnvironmentConfigurationConverter(new BuildLayoutFactory(), basic.get(FileCollectionFactory.class));
    CommandLineParser parser = new CommandLineParser();
    converter.configure(parser);
    return converter.convertParameters(parser.parse(args), new File("").getAbsoluteFile());
  }

  private static File gradleUserHome() {
    String set = System.getenv("GRADLE_USER_HOME");
    return set != null ? new File(set) : new File(System.getProperty("user.home"), ".gradle");
  }
}
