package dev.outbox.servers;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Servers that the environment names. Tests take a server for their own: they count its commands, change its settings
 * and end connections. Each JVM has a packaged server to itself; a named one is there once, so only one JVM at a time
 * uses named servers. The lock ends with the process. It is one for all of them, so that no two wait for each other.
 */
final class Named {
    private static @Nullable FileLock lock;

    private Named() {}

    /** The URL that an environment variable has, once the servers are ours. */
    static synchronized String url(String environment) throws Server.UnsetException {
        String url = System.getenv(environment);
        if (url == null || url.isEmpty()) {
            throw new Server.UnsetException("not set");
        }
        if (lock == null) {
            try {
                FileChannel file = FileChannel.open(
                        Commands.cache().resolve("named-servers.lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
                lock = file.tryLock();
                if (lock == null) {
                    System.err.println("[test-servers] waiting for another test process that uses named servers");
                    lock = file.lock();
                }
            } catch (IOException e) {
                throw new Server.NamedException(environment, e);
            }
        }
        return url;
    }
}
