package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * The batch no longer holds its partitions (its lease ended, its connection died), so nothing of it took effect. Its
 * messages will be handed out again. Carries rule OBX-FENCE-1.
 */
public final class HoldLostException extends OutboxException {
    private static final long serialVersionUID = 1L;

    /** Says what happened and what to do about it. */
    public HoldLostException(String message) {
        super(message, null);
    }

    /** Says what happened and what to do about it, with the cause if there is one. */
    public HoldLostException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
