// Halves even numbers, triples odd ones and adds one, until one is reached; searches first, first + stride, ... up to
// last for the number that takes the most steps.
module collatz (
    input  wire        clk,
    input  wire        start,
    input  wire [31:0] first,
    input  wire [31:0] stride,
    input  wire [31:0] last,
    output reg  [31:0] best,
    output reg  [15:0] most,
    output reg         done
);
    reg [31:0] from;
    reg [63:0] number;
    reg [15:0] steps;
    wire [31:0] next = from + stride;

    always @(posedge clk)
        if (start) begin
            from   <= first;
            number <= {32'd0, first};
            steps  <= 16'd0;
            most   <= 16'd0;
            best   <= 32'd0;
            done   <= 1'b0;
        end else if (!done) begin
            if (number == 64'd1) begin
                if (steps > most) begin
                    most <= steps;
                    best <= from;
                end
                from   <= next;
                number <= {32'd0, next};
                steps  <= 16'd0;
                done   <= next > last;
            end else begin
                number <= number[0] ? 3 * number + 64'd1 : number >> 1;
                steps  <= steps + 16'd1;
            end
        end
endmodule
