package dev.outbox.store.jooq.internal.connection;

import java.sql.SQLException;

/** There was no connection in time, and the reason is that none can be made. */
public final class ServerAwayException extends SQLException {
    private static final long serialVersionUID = 1;

    ServerAwayException(SQLException failure) {
        super(failure.getMessage(), failure.getSQLState(), failure.getErrorCode(), failure);
    }
}
