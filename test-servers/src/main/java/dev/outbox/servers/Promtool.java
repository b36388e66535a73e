package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The program that checks and tests rules of Prometheus: the one that is on the path, else that of Debian's package,
 * which is unpacked and not installed.
 */
public final class Promtool {
    private static final DebianPackages PACKAGE = new DebianPackages("prometheus", "");

    private static final Shared<Promtool> SHARED = new Shared<>(() -> Server.first(
            "Prometheus",
            new Server.Source<>("program on the path", Promtool::onPath),
            new Server.Source<>("packaged binary", Promtool::packaged)));

    private final Path program;

    private Promtool(Path program) {
        this.program = program;
    }

    /**
     * The program.
     *
     * @throws IllegalStateException if there is no way to one, with everything that was tried
     */
    public static Promtool shared() {
        return SHARED.get();
    }

    private static Promtool onPath() {
        for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
            Path program = Path.of(folder, "promtool");
            if (Files.isExecutable(program)) {
                return new Promtool(program);
            }
        }
        throw new IllegalStateException("there is none");
    }

    private static Promtool packaged() throws IOException, InterruptedException {
        Commands commands = new Commands(Files.createTempFile("outbox-promtool", ".log"));
        Path programs = unpacked(commands);
        Files.delete(commands.log());
        return new Promtool(programs.resolve("promtool"));
    }

    /** Where the programs of the package are. */
    static Path unpacked(Commands commands) throws IOException, InterruptedException {
        return PACKAGE.unpacked(List.of("prometheus"), commands).resolve("usr/bin");
    }

    /**
     * Runs it in a folder.
     *
     * @return what it printed
     * @throws AssertionError if it finds a mistake, with what it printed
     */
    public String run(Path folder, String... arguments) throws IOException, InterruptedException {
        Path output = Files.createTempFile("outbox-promtool", ".txt");
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        process.destroyForcibly();
        String printed = Files.readString(output);
        Files.delete(output);
        if (!ended || process.exitValue() != 0) {
            throw new AssertionError("promtool " + String.join(" ", arguments) + ": " + printed);
        }
        return printed;
    }
}
