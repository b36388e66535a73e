package dev.outbox;

import dev.outbox.internal.UrlRedaction;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Opens stores. Which backends there are is decided by what is on the class path or module path. */
public final class Stores {
    /** Our own backends, for the error text when one is missing. */
    private static final Map<String, String> ARTIFACTS = Map.of(
            "jdbc:", "dev.outbox:outbox-store-jooq",
            "memory:", "dev.outbox:outbox-store-memory",
            "mongodb", "dev.outbox:outbox-store-mongo",
            "redis", "dev.outbox:outbox-store-redis");

    private Stores() {}

    /** As {@link #open(String, StoreOptions)} with nothing set. */
    public static Store open(String url) {
        return open(url, StoreOptions.defaults());
    }

    /**
     * Opens a store with the one backend that accepts the URL. Close it when its relays are closed.
     *
     * @param url for instance {@code jdbc:postgresql://db/shop}; each backend documents its own
     * @throws ConfigurationException if no backend or more than one accepts the URL, or if the backend finds
     *     something set up wrongly
     * @throws StoreException if the server cannot be reached
     */
    public static Store open(String url, StoreOptions options) {
        Objects.requireNonNull(url, "url");
        Objects.requireNonNull(options, "options");
        List<StoreProvider> all = Providers.all(StoreProvider.class, "storage backend");
        List<StoreProvider> accepting = all.stream().filter(p -> p.accepts(url)).toList();
        if (accepting.size() == 1) {
            return accepting.get(0).open(url, options);
        }
        String shown = UrlRedaction.of(url);
        if (accepting.isEmpty()) {
            throw new ConfigurationException("No storage backend opens " + shown + ". Found: "
                    + (all.isEmpty() ? "no backend at all" : Providers.described(all, StoreProvider::description))
                    + ". " + advice(url));
        }
        throw new ConfigurationException(accepting.size() + " storage backends open " + shown + ": "
                + Providers.described(accepting, StoreProvider::description) + ". Keep one of them on the class path.");
    }

    private static String advice(String url) {
        return ARTIFACTS.entrySet().stream()
                .filter(e -> url.startsWith(e.getKey()))
                .map(e -> "Add the artifact " + e.getValue() + ".")
                .findFirst()
                .orElse("Expected a URL such as jdbc:postgresql://host/database or jdbc:h2:file:./name"
                        + " with dev.outbox:outbox-store-jooq, or that of another backend on the class path.");
    }
}
