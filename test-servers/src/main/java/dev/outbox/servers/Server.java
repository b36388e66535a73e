package dev.outbox.servers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.testcontainers.DockerClientFactory;

/** What the servers have in common: where one comes from. */
final class Server {
    private static final String PATIENCE = "outbox.test.container.seconds";

    private static volatile boolean late;

    private Server() {}

    /** One way to a server, and what it is called in the error text when none leads there. */
    record Source<S>(String name, Callable<S> open) {}

    /**
     * The first server to be had, or an error that says all that was tried. If a server is
     * named and cannot be used, that is an error: the user who named it does not want another to be tested instead.
     */
    @SafeVarargs
    static <S> S first(String server, Source<S>... sources) {
        List<String> tried = new ArrayList<>();
        List<Exception> causes = new ArrayList<>();
        for (Source<S> source : sources) {
            try {
                return source.open().call();
            } catch (UnsetException e) {
                tried.add(source.name() + ": " + e.getMessage());
            } catch (NamedException e) {
                throw e;
            } catch (Exception | LinkageError e) {
                String line = source.name() + ": " + why(e);
                tried.add(line);
                causes.add(e instanceof Exception x ? x : new IllegalStateException(e));
                System.err.println("[test-servers] " + server + " not from " + line);
            }
        }
        IllegalStateException none = new IllegalStateException("No " + server + " to test against. Tried: "
                + String.join("; ", tried) + ". Make one of these work, or leave its tests out: -D"
                + SwitchedOff.PROPERTY + "="
                + server.toLowerCase(Locale.ROOT));
        causes.forEach(none::addSuppressed);
        throw none;
    }

    /** What went wrong, and what that came from, in one line. */
    private static String why(Throwable failure) {
        Throwable root = failure;
        for (int depth = 0; depth < 20 && root.getCause() != null; depth++) {
            root = root.getCause();
        }
        String first = firstLine(failure);
        return root == failure ? first : first + " (from " + firstLine(root) + ")";
    }

    private static String firstLine(Throwable failure) {
        return failure.toString().lines().findFirst().orElse("");
    }

    /**
     * A server in a container, if a Docker engine answers and has started it within a minute. An engine that waits for
     * a registry says nothing meanwhile, so only time tells; it is asked once in a JVM, and may go on pulling for the
     * next one.
     */
    static <S> S contained(Callable<S> start) throws Exception {
        if (late) {
            throw new IllegalStateException("the Docker engine was too slow for another container already");
        }
        CompletableFuture<S> server = new CompletableFuture<>();
        Thread starter = new Thread(() -> {
            try {
                if (!DockerClientFactory.instance().isDockerAvailable()) {
                    throw new IllegalStateException("no Docker engine answers");
                }
                server.complete(start.call());
            } catch (Throwable e) {
                server.completeExceptionally(e);
            }
        });
        starter.setDaemon(true);
        starter.start();
        int seconds = Integer.getInteger(PATIENCE, 60);
        try {
            return server.get(seconds, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } catch (TimeoutException e) {
            late = true;
            throw new IllegalStateException("the Docker engine answers, and has not started it within " + seconds
                    + " s; pull the image by hand, or allow more by -D" + PATIENCE);
        }
    }

    /** A server that was named cannot be used. */
    static final class NamedException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        NamedException(String environment, Throwable cause) {
            super(
                    "The environment variable " + environment + " names a server that cannot be used: " + why(cause)
                            + ". Mend it, or unset the variable to test against another server.",
                    cause);
        }
    }

    /** The way to a server is not set up here; that is no failure. */
    static final class UnsetException extends Exception {
        private static final long serialVersionUID = 1L;

        UnsetException(String message) {
            super(message);
        }
    }
}
