package dev.outbox.tck.internal.process;

import dev.outbox.tck.internal.record.NotInTime;
import dev.outbox.tck.internal.record.Patience;
import dev.outbox.tck.internal.record.TestRecord;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A client of the outbox in a JVM of its own, to be killed at any moment. */
public final class ChildProcess implements AutoCloseable {
    /** What the lines begin with that answer a command. */
    public static final String PREFIX = "tck> ";

    private static final int PATIENCE_SECONDS = 60;
    private static final String END = "end";

    private final TestRecord record;
    private final Process process;
    private final Writer commands;
    private final Path errors;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private ChildProcess(TestRecord record, Process process, Path errors) {
        this.record = record;
        this.process = process;
        this.errors = errors;
        this.commands = process.outputWriter(StandardCharsets.UTF_8);
    }

    /**
     * Starts a process with this one's Java and class path, and waits until it has opened the store.
     *
     * @param main takes the name of the harness and the address, answers each line of its input with a line that starts
     *     with {@link #PREFIX}, and says {@code ready} first
     */
    public static ChildProcess start(Class<?> main, Class<?> harness, String address, TestRecord record)
            throws Exception {
        if (Arrays.stream(harness.getConstructors()).noneMatch(c -> c.getParameterCount() == 0)) {
            throw new AssertionError(harness.getName() + " needs to be a public class with a public constructor without"
                    + " parameters, so that another process can make one.");
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(List.of("-cp", classPath(harness)));
        command.addAll(List.of(main.getName(), harness.getName(), address));
        Path errors = Files.createTempFile("tck-child", ".log");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        ChildProcess child = new ChildProcess(record, process, errors);
        Thread reader = new Thread(child::read, "tck-child-output");
        reader.setDaemon(true);
        reader.start();
        try {
            child.answer("ready");
        } catch (Throwable e) {
            child.close();
            throw e;
        }
        record.add("process " + process.pid() + " opened the store");
        return child;
    }

    /** The class path is enough: on a module path every module is also a file that can stand on a class path. */
    private static String classPath(Class<?> harness) {
        List<String> paths = new ArrayList<>();
        // Tests that build tools patch into the module they test are on neither path.
        folderOf(harness).ifPresent(paths::add);
        for (String property : List.of("java.class.path", "jdk.module.path")) {
            String value = System.getProperty(property, "");
            if (!value.isEmpty()) {
                paths.addAll(Arrays.asList(value.split(File.pathSeparator, -1)));
            }
        }
        return String.join(File.pathSeparator, paths);
    }

    private static Optional<String> folderOf(Class<?> type) {
        String file = type.getName().replace('.', '/') + ".class";
        URL resource = type.getResource("/" + file);
        if (resource == null || !resource.getProtocol().equals("file")) {
            return Optional.empty();
        }
        String path = Path.of(URI.create(resource.toString())).toString();
        return Optional.of(path.substring(0, path.length() - file.length()));
    }

    /** Sends a command and waits for its answer; returns what follows its first word. */
    public List<String> ask(String command, String expectedAnswer) throws Exception {
        tell(command);
        return answer(expectedAnswer);
    }

    public void tell(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
        record.add("process " + process.pid() + " was told to " + command);
    }

    /** The next answer, which has to be this one. */
    public List<String> answer(String expected) throws Exception {
        String line = answers.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (line == null) {
            throw new NotInTime("The process should have answered '" + expected + "', but said nothing for "
                    + PATIENCE_SECONDS + " s. Its error output:\n" + errorOutput());
        }
        if (!line.split(" ", -1)[0].equals(expected)) {
            throw new AssertionError("The process should have answered '" + expected + "', but came to '" + line
                    + "'. Its error output:\n" + errorOutput());
        }
        List<String> words = Arrays.asList(line.split(" ", -1));
        record.add("process " + process.pid() + " " + line);
        record.saw(words.size() - 1);
        return words.subList(1, words.size());
    }

    /** An answer that is already there, or null. */
    @Nullable
    public String answerIfAny() {
        String line = answers.poll();
        if (END.equals(line)) {
            throw new AssertionError(
                    "Process " + process.pid() + " ended of itself. Its error output:\n" + errorOutput());
        }
        record.saw(line == null ? 0 : 1);
        return line;
    }

    private String errorOutput() {
        try {
            return Files.readString(errors);
        } catch (IOException e) {
            return "(cannot be read: " + e + ")";
        }
    }

    /** The next answer, or null if the process has ended and everything it said was read. */
    @Nullable
    public String nextAnswer() throws InterruptedException {
        long seconds = Math.min(PATIENCE_SECONDS, 2 * Patience.get().toSeconds());
        String line = answers.poll(seconds, TimeUnit.SECONDS);
        if (line == null) {
            throw new AssertionError("Process " + process.pid() + " has said nothing for " + seconds + " s.");
        }
        if (line.equals(END)) {
            return null;
        }
        record.saw(1);
        return line;
    }

    /** Kills the process, as a power cut would, and waits until it is gone. */
    public void kill() throws InterruptedException {
        // Not through the process itself, which would throw away what it has said and nobody has read.
        process.toHandle().destroyForcibly();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("Process " + process.pid() + " cannot be killed.");
        }
        record.add("process " + process.pid() + " was killed");
    }

    /** Stops the process where it is, as a long garbage collection or a suspended machine would. */
    public void pause() throws Exception {
        signal("STOP");
        record.add("process " + process.pid() + " was paused");
    }

    public void resume() throws Exception {
        record.add("process " + process.pid() + " goes on");
        signal("CONT");
    }

    private void signal(String name) throws Exception {
        Process kill;
        try {
            kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        } catch (IOException e) {
            throw new AssertionError(
                    "Processes are paused by the command 'kill', which cannot be run here: use Linux or macOS.", e);
        }
        if (!kill.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || kill.exitValue() != 0) {
            throw new AssertionError("'kill -" + name + " " + process.pid() + "' failed.");
        }
    }

    private void read() {
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            String line;
            while ((line = out.readLine()) != null) {
                if (line.startsWith(PREFIX)) {
                    answers.add(line.substring(PREFIX.length()));
                }
            }
        } catch (IOException e) {
            // It was killed.
        }
        answers.add(END);
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            Files.deleteIfExists(errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
