#pragma once

#include <isorow/source/detail/read_transaction.hpp>
#include <isorow/source/detail/statement_rows.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace isorow::inline v1::detail {

/// Batches that one connection reads by one statement.
template <class Row>
class single_batches final : public batch_reader<Row> {
public:
    /// Starts the statement, in a transaction that is begun for it.
    explicit single_batches(std::unique_ptr<batch_request const> request)
        : request_(std::move(request)),
          transaction_(std::in_place, request_->where),
          statement_(**transaction_, *request_, transaction_->use().limits()),
          rows_(std::in_place, statement_, **transaction_, request_->ready.sql, step_limits{transaction_->use().given_limits(), {}}) {}

    bool next(row_batch<Row>& batch) override {
        do {
            if (!rows_) return false;
            if (rows_->fill(batch)) continue;
            rows_.reset();
            transaction_->end();
            transaction_.reset();
        } while (batch.empty());
        return true;
    }

private:
    std::unique_ptr<batch_request const> request_;
    std::optional<read_transaction> transaction_;
    statement_rows<Row> statement_;
    std::optional<typename statement_rows<Row>::reading> rows_;
};

}  // namespace isorow::inline v1::detail
