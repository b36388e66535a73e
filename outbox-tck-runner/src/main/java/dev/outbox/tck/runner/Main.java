package dev.outbox.tck.runner;

import dev.outbox.tck.StoreTck;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line. The tests are run in a further JVM, which has the runner and the store on one class path: so
 * drivers and services are found as they are in an application, and so are they by the processes that the tests start.
 */
@Command(
        name = "outbox-tck-runner",
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        usageHelpAutoWidth = true,
        header = "Runs the outbox TCK against a store and says at which level it is conformant.%n",
        description = {
            "%nA store is made known by a harness: a public class with a public constructor without parameters that"
                    + " implements dev.outbox.tck.StoreHarness, or NetworkHarness for level 4 as well, or KillableServerHarness for level 5, or FailoverHarness for level 6, too. docs/WRITING-A-STORE.md shows one.%n"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Conformant: every rule that was asked for was run and is kept.",
            "1:Violations: at least one rule is broken; the report shows what proves it.",
            "2:Could not run: wrong options, no such class, no outbox to be had, or a level that the store cannot take.",
            "3:Inconclusive: no rule was seen to be broken, but a test could not tell; run it again."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  java -jar outbox-tck-runner.jar --harness com.example.MyHarness --class-path 'target/test-classes:target/classes:libs/*'",
            "  java -jar outbox-tck-runner.jar --harness com.example.MyHarness --class-path my.jar --rule 'OBX-EXCL-*' --seed 42",
            "%nMaven prints the class path of a project's tests with mvn dependency:build-classpath. The libraries of the"
                    + " runner (JUnit, Jackson, SLF4J's interfaces and outbox itself) come before those you name. Options"
                    + " for every JVM that is started, such as -Xmx, are taken from the environment variable"
                    + " JDK_JAVA_OPTIONS."
        })
final class Main implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = "--harness",
            paramLabel = "CLASS",
            required = true,
            description = "The class that makes outboxes of your store.")
    private String harness = "";

    @Option(
            names = {"--class-path", "-cp"},
            paramLabel = "PATH",
            description = "Where the harness, the store and what they need are: jars and folders, separated as your"
                    + " system does it (" + "${sys:path.separator}), with folder/* for all jars of a folder.")
    private String classPath = "";

    @Option(
            names = "--level",
            paramLabel = "1-5",
            description =
                    "The highest level to run: 1 the contract, 2 concurrency, 3 killed and paused processes, 4 a"
                            + " failing network, 5 a server that dies, 6 a server that fails over. By default all that the store can take.")
    private @Nullable Integer level;

    @Option(
            names = "--rule",
            paramLabel = "ID",
            split = ",",
            description =
                    "Only these rules of docs/SPEC.md, with * for any text, such as 'OBX-EXCL-*'. May be repeated.")
    private List<String> rules = new ArrayList<>();

    @Option(
            names = "--seed",
            paramLabel = "NUMBER",
            description = "Repeats what an earlier run drew by lot. By default a new one, which the report names.")
    private @Nullable Long seed;

    @Option(
            names = "--minutes",
            paramLabel = "MINUTES",
            description = "For how long random sequences of operations are run, such as 0.5 or 600. By default 0.25.")
    private @Nullable Double minutes;

    @Option(
            names = "--steps",
            paramLabel = "NUMBER",
            description = "The most steps of random sequences to run. By default as many as --minutes allows.")
    private @Nullable Long steps;

    @Option(
            names = "--sweep",
            paramLabel = "some|all",
            description = "Of which numbers of partitions and topics checkouts are made: some, near which something may"
                    + " change, or all. By default some.")
    private @Nullable String sweep;

    @Option(
            names = "--patience",
            paramLabel = "SECONDS",
            description = "How long to wait for what must happen, before a test fails. By default 30.")
    private @Nullable Integer patience;

    @Option(
            names = "--report",
            paramLabel = "DIR",
            defaultValue = "outbox-tck-report",
            description = "The folder for conformance.json and conformance.html. By default ${DEFAULT-VALUE}.")
    private Path report = Path.of("");

    private Main() {}

    /** Ends the process with one of the {@link ExitCode}s. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Main())
                .setParameterExceptionHandler(Main::say)
                .execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        check();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        property(command, StoreTck.LEVEL, level);
        property(command, StoreTck.RULES, rules.isEmpty() ? null : String.join(",", rules));
        property(command, StoreTck.SEED, seed);
        property(command, StoreTck.EXPLORE_MINUTES, minutes);
        property(command, StoreTck.EXPLORE_STEPS, steps);
        property(command, StoreTck.SWEEP, sweep);
        property(command, StoreTck.PATIENCE, patience);
        property(command, StoreTck.REPORT, report);
        property(command, StoreTck.PROGRESS, true);
        property(command, NamedHarness.NAME, harness);
        // outbox logs through SLF4J; whether anyone listens is up to the class path.
        property(command, "slf4j.internal.verbosity", "ERROR");
        command.addAll(List.of("-cp", self() + (classPath.isEmpty() ? "" : File.pathSeparator + classPath)));
        command.add(TestRun.class.getName());
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        // Its input stays open as long as this process lives: the other ends with it.
        return process.waitFor();
    }

    private void check() {
        if (level != null && (level < 1 || level > 6)) {
            throw wrong("--level is " + level + "; expected the highest level to run, from 1 to 6.");
        }
        if (minutes != null && !(minutes >= 0)) {
            throw wrong("--minutes is " + minutes + "; expected 0 or more.");
        }
        if (steps != null && steps < 1) {
            throw wrong("--steps is " + steps + "; expected at least 1.");
        }
        if (sweep != null && !List.of("some", "all").contains(sweep)) {
            throw wrong("--sweep is " + sweep + "; expected some or all.");
        }
        if (patience != null && patience < 1) {
            throw wrong("--patience is " + patience + "; expected at least 1 second.");
        }
        for (String entry : classPath.split(File.pathSeparator, -1)) {
            String path = entry.endsWith("*") ? entry.substring(0, entry.length() - 1) : entry;
            if (!path.isEmpty() && !Files.exists(Path.of(path))) {
                throw wrong("--class-path names " + path + ", which is not there. Relative paths start at "
                        + Path.of("").toAbsolutePath() + ".");
            }
        }
    }

    /** The help is longer than a screen, and would hide what is wrong. */
    private static int say(ParameterException wrong, String[] arguments) {
        PrintWriter out = wrong.getCommandLine().getErr();
        out.println(wrong.getMessage());
        out.println("--help shows the options.");
        return ExitCode.COULD_NOT_RUN;
    }

    private ParameterException wrong(String what) {
        return new ParameterException(spec == null ? new CommandLine(this) : spec.commandLine(), what);
    }

    private static void property(List<String> command, String name, @Nullable Object value) {
        if (value != null) {
            command.add("-D" + name + "=" + value);
        }
    }

    /** The jar this class is in. */
    private static Path self() {
        try {
            return Path.of(Main.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** From the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {
                "outbox-tck-runner " + Main.class.getPackage().getImplementationVersion(),
                "Java " + System.getProperty("java.version")
            };
        }
    }
}
