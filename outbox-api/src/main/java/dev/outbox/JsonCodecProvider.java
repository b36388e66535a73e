package dev.outbox;

/**
 * Makes the codecs of topics whose messages are JSON: {@link Codecs#json} and {@link Topic#builder(String, Class)} use
 * the one that is on the class path or module path. Found through {@link java.util.ServiceLoader}: name the
 * implementation in {@code META-INF/services/dev.outbox.JsonCodecProvider} and, in a module, in {@code provides}. It
 * needs a public constructor without parameters. Safe for use by several threads.
 */
public interface JsonCodecProvider {
    /**
     * A codec for messages of a type. What it writes comes back equal, or it rejects the message.
     *
     * @throws ConfigurationException if messages of the type cannot be written or read again, with what to
     *     change
     */
    <T> Codec<T> json(Class<T> type);

    /** What it is, for error texts, as in {@code "outbox-jackson: JSON by Jackson 2"}: the artifact first. */
    String description();
}
