package com.example.outbox;

import dev.outbox.tck.WriteTransaction;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

/** Rows of the application, which the TCK writes in the transactions of its messages. */
record HsqlRows(Connection connection) implements WriteTransaction.Rows {
    static void createTable(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("create table application_row (name varchar(100) primary key)");
        }
    }

    public void write(String name) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into application_row values (?)")) {
            insert.setString(1, name);
            insert.executeUpdate();
        }
    }

    public boolean isThere(String name) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement("select 1 from application_row where name = ?")) {
            query.setString(1, name);
            return query.executeQuery().next();
        }
    }
}
