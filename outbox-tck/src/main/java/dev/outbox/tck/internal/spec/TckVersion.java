package dev.outbox.tck.internal.spec;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of the suite, which is not that of the contract it tests. */
public final class TckVersion {
    private static final String VERSION = read();

    private TckVersion() {}

    public static String get() {
        return VERSION;
    }

    private static String read() {
        try (InputStream in = TckVersion.class.getResourceAsStream("tck.properties")) {
            if (in == null) {
                throw new IllegalStateException(
                        "tck.properties is not beside " + TckVersion.class + "; the build puts it there.");
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
