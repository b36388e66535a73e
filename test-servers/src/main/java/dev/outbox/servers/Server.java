package dev.outbox.servers;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.testcontainers.DockerClientFactory;

/** What the servers have in common: where one comes from. */
final class Server {
    private Server() {}

    /** One way to a server, and what it is called in the error text when none leads there. */
    record Source<S>(String name, Callable<S> open) {}

    /** The first server to be had, or an error that says all that was tried. */
    @SafeVarargs
    static <S> S first(String server, Source<S>... sources) {
        List<String> tried = new ArrayList<>();
        List<Exception> causes = new ArrayList<>();
        for (Source<S> source : sources) {
            try {
                return source.open().call();
            } catch (UnsetException e) {
                tried.add(source.name() + ": " + e.getMessage());
            } catch (Exception | LinkageError e) {
                String line =
                        source.name() + ": " + e.toString().lines().findFirst().orElse("");
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

    static void requireDocker() {
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            throw new IllegalStateException("no Docker engine answers");
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
