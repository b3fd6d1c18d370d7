// Cells that the simulation library of the distribution's Yosys does not have yet.
module \$set_tag (A, SET, CLR, Y);
  parameter TAG = "";
  parameter WIDTH = 1;
  input [WIDTH-1:0] A, SET, CLR;
  output [WIDTH-1:0] Y;
  assign Y = A;
endmodule

module \$get_tag (A, Y);
  parameter TAG = "";
  parameter WIDTH = 1;
  input [WIDTH-1:0] A;
  output [WIDTH-1:0] Y;
  assign Y = A;
endmodule

module \$original_tag (A, Y);
  parameter TAG = "";
  parameter WIDTH = 1;
  input [WIDTH-1:0] A;
  output [WIDTH-1:0] Y;
  assign Y = A;
endmodule

module \$future_ff (A, Y);
  parameter WIDTH = 1;
  input [WIDTH-1:0] A;
  output [WIDTH-1:0] Y;
  assign Y = A;
endmodule

module \$connect (A, B);
  parameter WIDTH = 1;
  inout [WIDTH-1:0] A, B;
  tran joint [WIDTH-1:0] (A, B);
endmodule

module \$barrier (A, Y);
  parameter WIDTH = 1;
  input [WIDTH-1:0] A;
  output [WIDTH-1:0] Y;
  assign Y = A;
endmodule
