package dev.outbox.store.jooq.internal.connection;

import dev.outbox.ConfigurationException;
import dev.outbox.store.support.CauseChain;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Connections straight from a driver. The URL and the settings stay in here, and what the driver says of them when it
 * fails is made fit to be shown.
 */
public final class DriverDataSource implements DataSource {
    private static final Pattern PASSWORD = Pattern.compile("password=([^&;),]*)", Pattern.CASE_INSENSITIVE);

    /** MySQL's driver takes user:password@host too, for each of several hosts. */
    private static final Pattern USER_INFO = Pattern.compile("[/,][^:/@,]*:([^@]*)@");

    private static final Pattern INIT = Pattern.compile("[;?&]INIT=", Pattern.CASE_INSENSITIVE);

    private final Driver driver;
    private final String url;
    private final Properties settings;
    private final String shown;
    private final @Nullable ConnectRetries retries;
    private volatile int loginTimeout;

    public DriverDataSource(Driver driver, String url, Properties settings, String shown) {
        this(driver, url, settings, shown, null);
    }

    private DriverDataSource(
            Driver driver, String url, Properties settings, String shown, @Nullable ConnectRetries retries) {
        this.driver = driver;
        this.url = url;
        this.settings = settings;
        this.shown = shown;
        this.retries = retries;
    }

    /** The same with one setting more. */
    public DriverDataSource with(String name, String value) {
        Properties more = (Properties) settings.clone();
        more.setProperty(name, value);
        return new DriverDataSource(driver, url, more, shown, retries);
    }

    /** The same that tries again while the server is away. */
    public DriverDataSource with(ConnectRetries retries) {
        return new DriverDataSource(driver, url, settings, shown, retries);
    }

    @Override
    public Connection getConnection() throws SQLException {
        return retries == null ? connect() : retries.connect(this::connect);
    }

    private Connection connect() throws SQLException {
        Connection connection = null;
        try {
            if (driver.acceptsURL(url)) {
                connection = driver.connect(url, (Properties) settings.clone());
            }
        } catch (SQLException e) {
            throw shownSafely(e);
        } catch (RuntimeException e) {
            // Drivers parse URLs in their own ways; the exception may hold any part of it.
            throw new ConfigurationException("The driver cannot make sense of the URL " + shown + " ("
                    + e.getClass().getName() + "): correct it.");
        }
        if (connection == null) {
            throw new ConfigurationException("The driver " + driver.getClass().getName()
                    + " does not understand the URL " + shown + ": correct it.");
        }
        return connection;
    }

    /** The exception itself if it has no secret in it, else one like it without the secrets. */
    private SQLException shownSafely(SQLException e) {
        List<String> secrets = new ArrayList<>();
        secrets.add(url);
        String password = settings.getProperty("password");
        if (password != null && !password.isEmpty()) {
            secrets.add(password);
        }
        PASSWORD.matcher(url)
                .results()
                .map(match -> match.group(1))
                .filter(s -> !s.isEmpty())
                .forEach(secrets::add);
        USER_INFO
                .matcher(url)
                .results()
                .map(match -> match.group(1))
                .filter(s -> !s.isEmpty())
                .forEach(secrets::add);
        boolean safe = true;
        for (Throwable t : CauseChain.of(e)) {
            String text = t.toString();
            safe &= secrets.stream().noneMatch(text::contains);
        }
        if (safe && e.getNextException() == null && !INIT.matcher(url).find()) {
            return e;
        }
        String message = String.valueOf(e.getMessage());
        if (INIT.matcher(url).find()) {
            message = "error " + e.getErrorCode() + ", SQLSTATE " + e.getSQLState()
                    + "; what the database says of it is not shown, because the URL has it run statements of yours";
        }
        for (String secret : secrets) {
            message = message.replace(secret, "…");
        }
        SQLException shownInstead = new SQLException(message, e.getSQLState(), e.getErrorCode());
        shownInstead.setStackTrace(e.getStackTrace());
        return shownInstead;
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException("user and password are fixed");
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(@Nullable PrintWriter out) {
        // nothing is written
    }

    /**
     * Kept for the pool. When the pool closes, it waits for this time for a connection that is being made. How long
     * connecting may take is in the settings of the driver.
     */
    @Override
    public void setLoginTimeout(int seconds) {
        loginTimeout = seconds;
    }

    @Override
    public int getLoginTimeout() {
        return retries != null && retries.isClosed() ? 1 : loginTimeout;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException("nothing is logged");
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLFeatureNotSupportedException("wraps nothing");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }

    @Override
    public String toString() {
        return shown;
    }
}
