package dev.outbox.processes;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * A process that takes commands by lines, and that is started again whenever it dies, as a supervisor does, until
 * {@link #retire}. Safe for use by several threads.
 */
public final class SupervisedProcess implements AutoCloseable {
    private final ProcessBuilder builder;
    private final String firstInput;

    // Guarded by this.
    private Process process;
    private Writer commands;
    private boolean retired;

    /**
     * Starts it.
     *
     * @param firstInput what it is told whenever it starts
     * @param trouble is told if it could not be started again
     */
    public SupervisedProcess(String name, ProcessBuilder builder, String firstInput, Consumer<IOException> trouble)
            throws IOException {
        this.builder = builder;
        this.firstInput = firstInput;
        this.process = builder.start();
        this.commands = commandsTo(process);
        Thread supervisor = new Thread(() -> supervise(trouble), "supervise-" + name);
        supervisor.setDaemon(true);
        supervisor.start();
    }

    private Writer commandsTo(Process started) throws IOException {
        Writer writer = started.outputWriter(StandardCharsets.UTF_8);
        writer.write(firstInput);
        writer.flush();
        return writer;
    }

    private void supervise(Consumer<IOException> trouble) {
        try {
            do {
                current().waitFor();
            } while (startAgain());
        } catch (IOException e) {
            trouble.accept(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean startAgain() throws IOException {
        if (!retired && !process.isAlive()) {
            process = builder.start();
            commands = commandsTo(process);
        }
        return !retired;
    }

    /** The process that is running now, or that was the last. */
    public synchronized Process current() {
        return process;
    }

    /** Tells it to do something. */
    public synchronized void tell(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
    }

    /** Ends its input. */
    public synchronized void endInput() throws IOException {
        commands.close();
    }

    /** Kills it, as {@code kill -9} does, and waits until it is gone. It is started again. */
    public void kill() throws InterruptedException {
        Process victim = current();
        victim.destroyForcibly();
        victim.waitFor();
    }

    /** Stops all its threads, wherever they are, and waits until they stand still. */
    public synchronized void pause() throws IOException {
        Signals.pause(process.toHandle());
    }

    /** Lets it go on. */
    public synchronized void resume() throws IOException {
        Signals.resume(process.toHandle());
    }

    /** Starts it no more. */
    public synchronized void retire() {
        retired = true;
    }

    @Override
    public synchronized void close() {
        retired = true;
        process.destroyForcibly();
    }
}
