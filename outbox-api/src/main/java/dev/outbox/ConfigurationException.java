package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * Something is set up wrongly: no backend for a URL, an unknown option, missing tables, a capability the store does not
 * have. The message says what to change.
 */
public final class ConfigurationException extends OutboxException {
    private static final long serialVersionUID = 1L;

    /** Says what happened and what to do about it. */
    public ConfigurationException(String message) {
        super(message, null);
    }

    /** Says what happened and what to do about it, with the cause if there is one. */
    public ConfigurationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
