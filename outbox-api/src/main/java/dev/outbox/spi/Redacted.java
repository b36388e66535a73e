package dev.outbox.spi;

import dev.outbox.internal.UrlRedaction;

/** Makes text fit for logs and exceptions. */
public final class Redacted {
    private Redacted() {}

    /**
     * A URL without its user, password and parameters, any of which may be a secret: {@code
     * postgresql://app:pw@db/x?ssl=true} becomes {@code postgresql://db/x}. Where it cannot tell what is secret, it
     * shows the scheme alone.
     */
    public static String url(String url) {
        return UrlRedaction.of(url);
    }
}
