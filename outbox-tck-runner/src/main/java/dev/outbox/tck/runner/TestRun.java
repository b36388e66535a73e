package dev.outbox.tck.runner;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.outbox.tck.FailoverHarness;
import dev.outbox.tck.KillableServerHarness;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.engine.JupiterTestEngine;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The process that the tests are run in. What is asked for comes as system properties, which JUnit hands on. */
final class TestRun {
    private TestRun() {}

    /** Ends the process with one of the {@link ExitCode}s. */
    public static void main(String[] args) {
        endWithParent();
        int code;
        try {
            StoreHarness harness = NamedHarness.make();
            checkLevel(harness);
            tryOut(harness);
            code = run(NamedHarness.tests(harness));
        } catch (CouldNotRun e) {
            System.err.println("Could not run: " + e.getMessage());
            @Nullable Throwable cause = e.getCause();
            if (cause != null) {
                cause.printStackTrace();
            }
            code = ExitCode.COULD_NOT_RUN;
        } catch (Throwable e) {
            e.printStackTrace();
            code = ExitCode.COULD_NOT_RUN;
        }
        // Threads of the driver may still be there.
        System.exit(code);
    }

    /** Said before minutes have gone by, and also if only some rules were asked for. */
    private static void checkLevel(StoreHarness harness) throws CouldNotRun {
        int level = Integer.getInteger(StoreTck.LEVEL, 0);
        if (level >= 4 && !(harness instanceof NetworkHarness)) {
            throw new CouldNotRun(
                    harness.getClass().getName() + " cannot take level 4: it has to implement "
                            + NetworkHarness.class.getName()
                            + ", so that a proxy can be put before the server. Ask for level 3.",
                    null);
        }
        if (level >= 5 && !(harness instanceof KillableServerHarness)) {
            throw new CouldNotRun(
                    harness.getClass().getName() + " cannot take level 5: it has to implement "
                            + KillableServerHarness.class.getName()
                            + ", so that a server can be killed. Ask for level 4.",
                    null);
        }
        if (level >= 6 && !(harness instanceof FailoverHarness)) {
            throw new CouldNotRun(
                    harness.getClass().getName() + " cannot take level 6: it has to implement "
                            + FailoverHarness.class.getName()
                            + ", so that a server can fail over. Ask for level 5.",
                    null);
        }
    }

    /** A database that cannot be reached is no violation of anything. */
    private static void tryOut(StoreHarness harness) throws CouldNotRun {
        try {
            String address = harness.createOutbox();
            harness.open(address).close();
            harness.begin(address).close();
            harness.dropOutbox(address);
        } catch (Exception | LinkageError e) {
            throw new CouldNotRun(
                    "The harness could not make an outbox, open it, begin a transaction and drop it again: " + e, e);
        }
    }

    private static int run(Class<? extends StoreTck> tests) throws CouldNotRun, IOException {
        Path folder = Path.of(System.getProperty(StoreTck.REPORT, ""));
        Failures failures = new Failures();
        // Other engines and listeners on the store's class path are of no use here, and may need another JUnit.
        Launcher launcher = LauncherFactory.create(LauncherConfig.builder()
                .enableTestEngineAutoRegistration(false)
                .enableLauncherSessionListenerAutoRegistration(false)
                .enableLauncherDiscoveryListenerAutoRegistration(false)
                .enablePostDiscoveryFilterAutoRegistration(false)
                .enableTestExecutionListenerAutoRegistration(false)
                .addTestEngines(new JupiterTestEngine())
                .build());
        launcher.execute(
                LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectClass(tests))
                        .build(),
                failures);
        if (!failures.outsideOfTests().isEmpty()) {
            throw new CouldNotRun(String.join("\n", failures.outsideOfTests()), null);
        }
        JsonNode report = new ObjectMapper().readTree(report(folder, tests).toFile());
        JsonNode verdict = report.get("verdict");
        System.out.println("Report: " + folder.resolve("conformance.html").toAbsolutePath());
        if (failures.ofTests() > inconclusive(report)) {
            return ExitCode.VIOLATIONS;
        }
        if (failures.ofTests() > 0) {
            return ExitCode.INCONCLUSIVE;
        }
        if (failures.succeeded() == 0) {
            throw new CouldNotRun("None of the tests was run.", null);
        }
        Integer asked = Integer.getInteger(StoreTck.LEVEL);
        if (asked != null
                && System.getProperty(StoreTck.RULES) == null
                && verdict.get("level").asInt() < asked) {
            throw new CouldNotRun(
                    "Level " + asked + " was asked for, but nothing above level "
                            + verdict.get("level").asInt() + " could be run. The report says why.",
                    null);
        }
        return ExitCode.CONFORMANT;
    }

    /** How many tests could not tell. */
    private static long inconclusive(JsonNode report) {
        return report.findValues("tests").stream()
                .flatMap(tests -> StreamSupport.stream(tests.spliterator(), false))
                .filter(test -> test.path("status").asText().equals("inconclusive"))
                .count();
    }

    /** Here is one class and one run, so the report needs no folder of its own. */
    private static Path report(Path folder, Class<?> tests) throws IOException {
        Path own = folder.resolve(tests.getName());
        for (String name : new String[] {"conformance.json", "conformance.html"}) {
            Files.move(own.resolve(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
        Files.delete(own);
        return folder.resolve("conformance.json");
    }

    private static void endWithParent() {
        Thread watch = new Thread(
                () -> {
                    try {
                        while (System.in.read() >= 0) {}
                    } catch (IOException e) {
                        // The reader of this output is gone, too.
                    }
                    Runtime.getRuntime().halt(ExitCode.COULD_NOT_RUN);
                },
                "tck-runner-parent");
        watch.setDaemon(true);
        watch.start();
    }
}
