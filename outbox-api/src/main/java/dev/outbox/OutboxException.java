package dev.outbox;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Everything that outbox throws on purpose. The subclass says which kind of failure it is, and with it who can do
 * something about it. No message of these ever contains a password.
 */
public abstract sealed class OutboxException extends RuntimeException
        permits StoreException,
                PublishException,
                HoldLostException,
                MessageRejectedException,
                ConfigurationException,
                MisuseException {
    private static final long serialVersionUID = 1L;

    OutboxException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** What happened and what to do about it. */
    @Override
    public String getMessage() {
        return Objects.requireNonNullElse(super.getMessage(), "");
    }
}
