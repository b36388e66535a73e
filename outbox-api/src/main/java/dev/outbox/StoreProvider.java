package dev.outbox;

/**
 * Opens stores of one backend by URL. Found through {@link java.util.ServiceLoader}: name the implementation in {@code
 * META-INF/services/dev.outbox.StoreProvider} and, in a module, in {@code provides}. It needs a public constructor
 * without parameters, and does nothing before {@link #open}.
 */
public interface StoreProvider {
    /** Whether this backend opens URLs of this form. Looks at the text only and never throws. */
    boolean accepts(String url);

    /**
     * Opens a store and checks that it works: that the server answers, that what the outbox needs is there.
     *
     * @param url a URL that {@link #accepts} said yes to
     * @throws ConfigurationException if the URL, an option or the server's set-up is wrong, with what to
     *     change; never with a password in it
     * @throws StoreException if the server cannot be reached
     */
    Store open(String url, StoreOptions options);

    /** What it opens, for error texts, as in {@code "outbox-store-jooq: jdbc:postgresql:, jdbc:h2:"}. */
    String description();
}
